// Linux calls that Swift cannot make: variadic ones, `fork`, and what must happen between a fork
// and an exec, where only async-signal-safe C may run.
//
// Every function returns a negative errno where it fails. Nothing here allocates or keeps state.

#ifndef PAL_CLINUX_H
#define PAL_CLINUX_H

#include <spawn.h>
#include <stddef.h>
#include <sys/types.h>

/// Makes this process the parent of every orphan among its descendants.
int pal_become_subreaper(void);

/// A descriptor of a process, which never comes to mean another one. Closed on exec.
int pal_pidfd_open(pid_t pid);

/// Sends a signal to exactly the process of a descriptor.
int pal_pidfd_send_signal(int pidfd, int signal);

/// Locks a whole file for the open file description (not the process), without waiting.
/// The lock goes with the last descriptor, in whichever process that is. -EAGAIN: somebody has it.
int pal_lock(int fd);

/// As `pal_lock`, but waits.
int pal_lock_wait(int fd);

/// 1 where another open file description has the lock, else 0. Does not take it.
int pal_is_locked(int fd);

/// Splits this process: 0 in the child, its id in the parent. Only for a process of one thread.
pid_t pal_fork(void);

/// A pipe whose ends are closed on exec: the reading one first.
int pal_pipe(int ends[2]);

/// Closes every descriptor from `first` on.
int pal_close_from(unsigned first);

/// Blocks the signals that end or concern a supervisor (TERM, INT, QUIT, HUP, CHLD) for this
/// process, and opens a non-blocking descriptor that they are read from.
int pal_signals_open(void);

/// The next signal's number, 0 where there is none.
int pal_signals_next(int fd);

/// Where a spawned program runs and what it is given.
struct pal_spawn_request {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;
    int output;
    int error;
    /// Open `cgroup.procs` files, which the child joins before it becomes the program.
    const int *cgroups;
    int cgroup_count;
};

/// Which step of a spawn failed.
enum pal_spawn_stage {
    PAL_SPAWN_FORK = 0,
    PAL_SPAWN_CGROUP = 1,
    PAL_SPAWN_DIRECTORY = 2,
    PAL_SPAWN_EXEC = 3,
};

/// Starts a program in a process group of its own, with default signals, stdin from /dev/null, and
/// killed by the kernel when this process dies. Only for a process of one thread.
///
/// @return The process id after a successful exec, or a negative errno; `stage` then says whose.
pid_t pal_spawn(const struct pal_spawn_request *request, int *stage);

/// Opens a new terminal: the side that a program for a person has. Closed on exec, and nobody's
/// controlling terminal. The path of the other side is written to `path`.
int pal_open_terminal(char *path, size_t size);

/// Has a child that posix_spawn makes start in a directory, without descriptors from 3 on. To be
/// added last.
int pal_spawn_narrow(posix_spawn_file_actions_t *actions, const char *directory);

/// Gives memory that was freed and that nobody uses back to the system. Takes about a millisecond
/// for each 10 MiB of heap.
void pal_give_back_memory(void);

/// Has memory that is freed at the end of a thread's heap go back to the system at once from a MiB
/// on. By itself the C library raises that bound to the size of what was freed lately, and what it
/// keeps there for another thread than the first `pal_give_back_memory` does not find. The bound
/// from which memory is mapped on its own, which rises with it, stays what it is, too.
void pal_keep_little_memory(void);

#endif
