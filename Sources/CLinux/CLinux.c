#define _GNU_SOURCE
#include "CLinux.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

int pal_become_subreaper(void) { return result(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L)); }

int pal_pidfd_open(pid_t pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }

int pal_pidfd_send_signal(int pidfd, int signal) {
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

static int lock(int fd, int command) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int value;
    do {
        value = fcntl(fd, command, &whole);
    } while (value < 0 && errno == EINTR);
    if (value < 0) return errno == EACCES ? -EAGAIN : -errno;
    return command == F_OFD_GETLK && whole.l_type != F_UNLCK;
}

int pal_lock(int fd) { return lock(fd, F_OFD_SETLK); }
int pal_lock_wait(int fd) { return lock(fd, F_OFD_SETLKW); }
int pal_is_locked(int fd) { return lock(fd, F_OFD_GETLK); }

pid_t pal_fork(void) { return result(fork()); }

int pal_pipe(int ends[2]) { return result(pipe2(ends, O_CLOEXEC)); }

int pal_close_from(unsigned first) {
    if (syscall(SYS_close_range, first, ~0u, 0) == 0) return 0;
    if (errno != ENOSYS) return -errno;
    // Before Linux 5.9.
    long limit = sysconf(_SC_OPEN_MAX);
    for (long fd = first; fd < limit && fd < 1 << 20; fd++) close((int)fd);
    return 0;
}

int pal_signals_open(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
    return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int pal_signals_next(int fd) {
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static void fail(int report, int stage) {
    int message[2] = {errno, stage};
    // A parent that is gone has no use for the reason.
    if (write(report, message, sizeof message) < 0) _exit(126);
    _exit(127);
}

static void become(const struct pal_spawn_request *request, pid_t parent, int report) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, (long)SIGKILL, 0L, 0L, 0L);
    if (getppid() != parent) _exit(126); // It died before it could be watched.
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        sigaction(signal, &standard, NULL); // Refused for KILL, STOP and libc's own: as wanted.
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing > 0) dup2(nothing, 0);
    if (nothing > 2) close(nothing);
    dup2(request->output, 1);
    dup2(request->error, 2);
    for (int i = 0; i < request->cgroup_count; i++)
        if (write(request->cgroups[i], "0", 1) < 0) fail(report, PAL_SPAWN_CGROUP);
    if (chdir(request->directory) < 0) fail(report, PAL_SPAWN_DIRECTORY);
    execve(request->path, request->argv, request->envp);
    fail(report, PAL_SPAWN_EXEC);
}

pid_t pal_spawn(const struct pal_spawn_request *request, int *stage) {
    int report[2];
    *stage = PAL_SPAWN_FORK;
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) become(request, parent, report[1]);
    int code = errno;
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        return -code;
    }
    int message[2];
    ssize_t count;
    do {
        count = read(report[0], message, sizeof message);
    } while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count != sizeof message) return child; // The exec closed the pipe.
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    *stage = message[1];
    return -message[0];
}

int pal_open_terminal(char *path, size_t size) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return -errno;
    int code = grantpt(terminal) < 0 || unlockpt(terminal) < 0 ? errno : 0;
    if (code == 0) code = ptsname_r(terminal, path, size);
    if (code == 0) return terminal;
    close(terminal);
    return -code;
}

int pal_spawn_narrow(posix_spawn_file_actions_t *actions, const char *directory) {
    int code = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (code == 0) code = posix_spawn_file_actions_addchdir_np(actions, directory);
    return -code;
}

void pal_keep_little_memory(void) {
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

void pal_give_back_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
