import PalModel
import Testing

@testable import PalImport

@Suite("Compose's files of variables")
struct EnvFileTests {
    @Test func fillsFromEnvFilesUnderTheEnvironment() throws {
        let config = try importedConfig(
            "image: x\nenv_file: [one.env]\nenvironment: { A: said }\n",
            files: ["/srv/team/one.env": "A=filed\nexport B=\"two words\"\nC=3 # comment\n"])
        #expect(config.env == ["A": "said", "B": "two words", "C": "3"])
    }

    /// What variables and quotes mean in such a file was not known.
    @Test func readsEnvFilesAsComposeDoes() throws {
        let file = #"""
            # a comment
            A=${HOST}/x
            B="$A and \"more\"\n\$5"
            C='${HOST} as it\'s'
            KEY="-----BEGIN
            x=y
            -----END"
            D=${NONE:-none}$NOBODY
            E=a#b # comment
            A: again
            G=$A $DOTTED
            =x
            OPEN="never
            F=f
            """#
        let all = try imported(
            "services:\n  web:\n    image: x\n    env_file: one.env\n",
            environment: ["HOST": "h"],
            files: ["/srv/team/one.env": file, "/srv/team/.env": "DOTTED=d\nLEFT='open\n"])
        let spec = try #require(all.specs.first)
        #expect(spec.config.env?["A"] == "again")
        #expect(spec.config.env?["G"] == "again d")
        #expect(all.remarks.contains { $0.message == "the quote of LEFT has no end" })
        #expect(spec.config.env?["B"] == "h/x and \"more\"\n$5")
        #expect(spec.config.env?["C"] == "${HOST} as it's")
        #expect(spec.config.env?["D"] == "none")
        #expect(spec.config.env?["E"] == "a#b")
        #expect(spec.config.env?["F"] == "f")
        let key = spec.config.env?["KEY"] ?? spec.hidden["KEY"]
        #expect(key == "-----BEGIN\nx=y\n-----END")
        let remarks = all.remarks.map(\.message)
        for said in [
            "NOBODY is not set", "a line with a value names no variable",
            "the quote of OPEN has no end",
        ] {
            #expect(
                remarks.contains { $0.contains("'one.env'") && $0.contains(said) }, "\(remarks)")
        }
    }

    @Test func takesRawEnvFilesAsTheyStand() throws {
        let config = try importedConfig(
            "image: x\nenv_file: [{ path: one.env, format: raw }]\n",
            files: ["/srv/team/one.env": "A=\"$HOST\" # b\n"])
        #expect(config.env == ["A": "\"$HOST\" # b"])
    }
}
