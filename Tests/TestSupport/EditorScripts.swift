extension EditorImages {
    /// Reads its flags, then lists or installs extensions, or serves.
    static let codeServerProgram = #"""
        #!/bin/sh
        fail() { echo "error $1" >&2; exit 1; }
        port=8080; list=; install=; auth=
        extensions=$HOME/.local/share/code-server/extensions
        while [ $# -gt 0 ]; do
          case "$1" in
            --password|--password=*|--hashed-password|--hashed-password=*)
              fail "--password can only be set in the config file or passed in via \$PASSWORD" ;;
            --bind-addr) port=${2##*:}; shift ;;
            --auth) auth=$2; shift ;;
            --install-extension) install="$install $2"; shift ;;
            --list-extensions) list=1 ;;
            --show-versions|--force) ;;
            --*) fail "Unknown option $1" ;;
          esac
          shift
        done
        if [ -n "$list" ]; then
          mkdir -p "$extensions"
          ls "$extensions"
          exit 0
        fi
        if [ -n "$install" ]; then
          for id in $install; do
            name=$(echo "${id%@*}" | tr A-Z a-z)
            case "$name" in offline.*)
              [ -e "$HOME/online" ] || fail "getaddrinfo ENOTFOUND open-vsx.org" ;;
            missing.*) echo "Extension '$name' not found." >&2; exit 1 ;; esac
            version=1.0.0
            case "$id" in *@*) version=${id##*@} ;; esac
            mkdir -p "$extensions"
            touch "$extensions/$name@$version"
            echo "installed $name" >> "$HOME/installs"
            echo "Extension '$name' v$version was successfully installed."
          done
          exit 0
        fi
        config=${CODE_SERVER_CONFIG:-$HOME/.config/code-server/config.yaml}
        if [ ! -e "$config" ]; then
          mkdir -p "${config%/*}" || fail "EACCES: permission denied, mkdir '${config%/*}'"
          printf 'bind-addr: 127.0.0.1:8080\nauth: password\npassword: %s\ncert: false\n' \
            "$(cat /proc/sys/kernel/random/uuid)" > "$config"
        fi
        while IFS= read -r line; do
          case "$line" in
            auth:*|password:*|hashed-password:*|cert:*|bind-addr:*|"") ;;
            *) fail "Unknown option --${line%%:*} in $config" ;;
          esac
        done < "$config"
        value() { sed -n "s/^$1: //p" "$config" | sed 's/^"\(.*\)"$/\1/'; }
        export STAND_IN_AUTH=${auth:-$(value auth)}
        export STAND_IN_PASSWORD=${PASSWORD:-$(value password)}
        export STAND_IN_HASH=${HASHED_PASSWORD:-$(value hashed-password)}
        export STAND_IN_SUFFIX=${CODE_SERVER_COOKIE_SUFFIX:+-$CODE_SERVER_COOKIE_SUFFIX}
        unset PASSWORD HASHED_PASSWORD
        port=${PORT:-$port}
        echo "HTTP server listening on http://0.0.0.0:$port/"
        echo "  - Using password from $config"
        trap 'exit 0' TERM INT
        nc -ll -p "$port" -e /bin/answer &
        wait

        """#

    /// Reads a request and gives code-server's answer.
    static let codeServerAnswer = #"""
        #!/bin/sh
        answer() {
          printf 'HTTP/1.1 %s\r\nConnection: close\r\n%b\r\n%s\n' "$1" "$2" "$3"
          exit 0
        }
        read -r method target version
        cookie=; length=0
        while read -r line; do
          line=${line%?}
          [ -z "$line" ] && break
          case "$line" in
            Cookie:*) cookie=${line#*: } ;;
            Content-Length:*) length=${line#*: } ;;
          esac
        done
        name=code-server-session$STAND_IN_SUFFIX
        hash() { printf %s "$1" | sha256sum | cut -c1-64; }
        # A hash wins, and one without a '$' is of this kind.
        session=${STAND_IN_HASH:-$(hash "$STAND_IN_PASSWORD")}
        case "$method $target" in
          "GET /healthz") answer "200 OK" "" '{"status":"expired","lastHeartbeat":0}' ;;
          "POST /login")
            body=$(head -c "$length")
            if [ "$(hash "${body#password=}")" = "$session" ]; then
              answer "302 Found" "Location: ./\r\nSet-Cookie: $name=$session; Path=/\r\n" ""
            fi
            answer "401 Unauthorized" "" "Incorrect password" ;;
        esac
        if [ "$STAND_IN_AUTH" = none ] || [ "$cookie" = "$name=$session" ]; then
          answer "200 OK" "" "editor at $target"
        fi
        answer "302 Found" "Location: ./login\r\n" ""

        """#

    /// Reads its flags, then lists or installs extensions, or serves.
    static let openVSCodeProgram = #"""
        #!/bin/sh
        fail() { echo "$1" >&2; exit 1; }
        port=3000; token=; without=; list=; install=
        extensions=$HOME/.openvscode-server-extensions
        while [ $# -gt 0 ]; do
          case "$1" in
            --host) shift ;;
            --port) port=$2; shift ;;
            --connection-token-file)
              [ -r "$2" ] || fail "Unable to read the connection token file at '$2'."
              token=$(cat "$2"); shift ;;
            --connection-token) token=$2; shift ;;
            --without-connection-token) without=1 ;;
            --install-extension) install="$install $2"; shift ;;
            --list-extensions) list=1 ;;
            --show-versions|--force|--accept-server-license-terms) ;;
            --*) fail "Unknown option $1" ;;
          esac
          shift
        done
        if [ -n "$list" ]; then mkdir -p "$extensions"; ls "$extensions"; exit 0; fi
        if [ -n "$install" ]; then
          mkdir -p "$extensions"
          for id in $install; do touch "$extensions/${id%@*}@1.0.0"; done
          exit 0
        fi
        if [ -n "$token" ] && [ -n "$without" ]; then
          fail "Please do not use the argument '--connection-token' or \
        '--connection-token-file' at the same time as '--without-connection-token'."
        fi
        case "$token" in
          *[!0-9A-Za-z_-]*) fail "The connection token '...' does not adhere to the characters" ;;
        esac
        export STAND_IN_TOKEN=$token
        echo "Server bound to 0.0.0.0:$port (IPv4)"
        echo "Web UI available at http://localhost:$port/${token:+?tkn=$token}"
        trap 'exit 0' TERM INT
        nc -ll -p "$port" -e /bin/answer &
        wait

        """#

    /// Reads a request and gives openvscode-server's answer.
    static let openVSCodeAnswer = #"""
        #!/bin/sh
        answer() {
          printf 'HTTP/1.1 %s\r\nConnection: close\r\n%b\r\n%s\n' "$1" "$2" "$3"
          exit 0
        }
        read -r method target version
        cookie=
        while read -r line; do
          line=${line%?}
          [ -z "$line" ] && break
          case "$line" in Cookie:*) cookie=${line#*: } ;; esac
        done
        case "$target" in /version) answer "200 OK" "" "0123456789abcdef" ;; esac
        [ -z "$STAND_IN_TOKEN" ] && answer "200 OK" "" "editor at $target"
        case "$target" in
          *[?\&]tkn=$STAND_IN_TOKEN|*[?\&]tkn=$STAND_IN_TOKEN\&*)
            rest=$(echo "$target" | sed "s/tkn=$STAND_IN_TOKEN&*//; s/?\$//")
            header="Location: $rest\r\nSet-Cookie: vscode-tkn=$STAND_IN_TOKEN; Max-Age=604800\r\n"
            answer "302 Found" "$header" "" ;;
        esac
        [ "$cookie" = "vscode-tkn=$STAND_IN_TOKEN" ] && answer "200 OK" "" "editor at $target"
        answer "403 Forbidden" "" "Forbidden."

        """#

    /// VS Code's own command, which fetches a server when it is asked for the first time.
    static let serveWebProgram = #"""
        #!/bin/sh
        fail() { echo "$1" >&2; exit 1; }
        [ "$1" = serve-web ] || fail "error: unrecognized subcommand '$1'"
        shift
        port=8000; token=; license=; host=127.0.0.1
        while [ $# -gt 0 ]; do
          case "$1" in
            --host) host=$2; shift ;;
            --port) port=$2; shift ;;
            --connection-token-file)
              [ -r "$2" ] || fail "Unable to read the connection token file at '$2'."
              token=$(cat "$2"); shift ;;
            --without-connection-token) ;;
            --accept-server-license-terms) license=1 ;;
            *) fail "error: unexpected argument '$1' found" ;;
          esac
          shift
        done
        [ -n "$license" ] || fail "the license terms were not accepted"
        [ "$host" = 0.0.0.0 ] || fail "nobody reaches $host"
        case "$token" in
          *[!0-9A-Za-z_-]*) fail "The connection token '...' does not adhere to the characters" ;;
        esac
        export STAND_IN_TOKEN=$token
        echo "Web UI available at http://0.0.0.0:$port${token:+?tkn=$token}"
        trap 'exit 0' TERM INT
        nc -ll -p "$port" -e /bin/answer &
        wait

        """#

    /// What is answered first, while the server comes: accepted, and nothing more.
    static let serveWebDownload = #"""
        #!/bin/sh
        echo asked >> /tmp/asked
        if [ "$(wc -l < /tmp/asked)" -le 3 ]; then
          while read -r line && [ -n "${line%?}" ]; do :; done
          printf 'HTTP/1.1 202 Accepted\r\nConnection: close\r\n\r\n<p>downloading</p>\n'
          exit 0
        fi

        """#
}
