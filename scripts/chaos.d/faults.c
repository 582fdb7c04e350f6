/*
 * Runs a program whose system calls fail by chance.
 *
 *   faults SEED SCOPE RULE... -- PROGRAM ARGUMENT...
 *
 * SCOPE is `supervisor` (the program itself), `workers` (the processes that it starts) or `all`. A RULE is CALL=ERROR:N
 * (fails N times in a thousand, such as openat=EMFILE:20), CALL=ERROR@N (fails at its Nth time), CALL=delay:MS (every
 * call takes that much longer) or CALL=kill@N (the program is killed, by SIGKILL, at its Nth time).
 *
 * A seccomp filter sends the calls here for a verdict, so that those which bypass the C library are met too. The first
 * calls of a process are let through, because they are the dynamic loader's. So are writes to standard error, which
 * would take away the error message that the caller looks for. Exits as the program does, or with 128 and its signal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RULES 32
#define LISTENERS 8
#define PROCESSES 65536

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
/* Absent from older headers. */
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif

struct name {
    const char *name;
    int number;
};

static const struct name CALLS[] = {
    {"openat", __NR_openat},       {"socket", __NR_socket},         {"socketpair", __NR_socketpair},
    {"accept4", __NR_accept4},     {"memfd_create", __NR_memfd_create}, {"pipe2", __NR_pipe2},
    {"fcntl", __NR_fcntl},         {"epoll_create1", __NR_epoll_create1}, {"eventfd2", __NR_eventfd2},
    {"pidfd_open", __NR_pidfd_open}, {"clone", __NR_clone},         {"clone3", __NR_clone3},
    {"execve", __NR_execve},       {"mmap", __NR_mmap},             {"mremap", __NR_mremap},
    {"write", __NR_write},         {"writev", __NR_writev},         {"pwrite64", __NR_pwrite64},
    {"read", __NR_read},           {"pread64", __NR_pread64},       {"ftruncate", __NR_ftruncate},
    {"fsync", __NR_fsync},         {"fdatasync", __NR_fdatasync},   {"renameat", __NR_renameat},
    {"renameat2", __NR_renameat2}, {"unlinkat", __NR_unlinkat},     {"mkdirat", __NR_mkdirat},
    {"linkat", __NR_linkat},       {"sendmsg", __NR_sendmsg},       {"recvmsg", __NR_recvmsg},
    {"sendto", __NR_sendto},       {"recvfrom", __NR_recvfrom},     {"connect", __NR_connect},
    {"bind", __NR_bind},           {"listen", __NR_listen},         {"ppoll", __NR_ppoll},
    {"statx", __NR_statx},         {"fstat", __NR_fstat},           {"newfstatat", __NR_newfstatat},
    {"flock", __NR_flock},         {"getdents64", __NR_getdents64}, {"lseek", __NR_lseek},
    {"wait4", __NR_wait4},         {"waitid", __NR_waitid},         {"copy_file_range", __NR_copy_file_range},
#ifdef __x86_64__
    {"open", __NR_open},           {"pipe", __NR_pipe},             {"vfork", __NR_vfork},
    {"poll", __NR_poll},           {"rename", __NR_rename},         {"unlink", __NR_unlink},
    {"mkdir", __NR_mkdir},         {"stat", __NR_stat},             {"lstat", __NR_lstat},
    {"epoll_wait", __NR_epoll_wait}, {"link", __NR_link},
#endif
};

static const struct name ERRORS[] = {
    {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM},   {"ENOSPC", ENOSPC},
    {"EIO", EIO},       {"EINTR", EINTR},   {"EACCES", EACCES}, {"ENOBUFS", ENOBUFS}, {"EDQUOT", EDQUOT},
};

enum kind { BY_CHANCE, ONCE, DELAY, KILL };

struct rule {
    int call;
    enum kind kind;
    int error;
    unsigned long figure;
    unsigned long met;
};

static struct rule rules[RULES];
static int rule_count;
static char scope;
static pid_t program;
static int listener;
static uint64_t dice;
/* How often each rule has met its call in each process. */
static unsigned char met_in[PROCESSES][RULES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
    fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t roll(void) {
    uint64_t z = dice += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static int find(const struct name *names, size_t count, const char *name) {
    for (size_t at = 0; at < count; at++)
        if (!strcmp(names[at].name, name)) return names[at].number;
    return -1;
}

/* False if this kernel or processor has no such call. */
static int parse(char *text) {
    struct rule rule = {0};
    char *error = strchr(text, '=');
    char *figure = error ? strpbrk(error, ":@") : NULL;
    if (!figure) goto bad;
    char separator = *figure;
    *error++ = *figure++ = 0;
    rule.figure = strtoul(figure, NULL, 10);
    if (!strcmp(error, "delay")) {
        rule.kind = DELAY;
    } else if (!strcmp(error, "kill")) {
        rule.kind = KILL;
    } else {
        rule.kind = separator == '@' ? ONCE : BY_CHANCE;
        rule.error = find(ERRORS, sizeof ERRORS / sizeof *ERRORS, error);
        if (rule.error < 0) goto bad;
    }
    rule.call = find(CALLS, sizeof CALLS / sizeof *CALLS, text);
    if (rule.call < 0) return 0;
    if (rule_count == RULES) goto bad;
    rules[rule_count++] = rule;
    return 1;
bad:
    fprintf(stderr, "faults: `%s` is not a rule\n", text);
    exit(125);
}

static int install(void) {
    struct sock_filter filter[4 + RULES + 2];
    int at = 0;
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int rule = 0; rule < rule_count; rule++)
        filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)rules[rule].call,
                                                    (unsigned char)(rule_count - rule), 0);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    struct sock_fprog prog = {(unsigned short)at, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("cannot give up new privileges");
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    long fd = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
    if (fd < 0 && errno == EINVAL)
        fd = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
    if (fd < 0) fail("cannot install a filter");
    return (int)fd;
}

/* The process that a thread belongs to. */
static pid_t process_of(pid_t thread) {
    char path[64], line[128];
    pid_t found = thread;
    snprintf(path, sizeof path, "/proc/%d/status", thread);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Tgid: %d", &found) == 1) break;
    if (file) fclose(file);
    return found;
}

/* How many of these calls the dynamic loader makes before the program begins, and some more. */
static unsigned loader_calls(int call) {
    switch (call) {
    case __NR_mmap:
        return 40;
    case __NR_openat:
    case __NR_read:
    case __NR_pread64:
    case __NR_fstat:
    case __NR_newfstatat:
        return 10;
    default:
        return 0;
    }
}

/* What is to become of a call: an error, 0 to let it through, or -1 if it is to wait for `*delay` ms first. */
static int verdict(const struct seccomp_notif *call, unsigned long *delay) {
    int number = call->data.nr;
    if ((number == __NR_write || number == __NR_writev) && call->data.args[0] == 2) return 0;
    pid_t process = process_of((pid_t)call->pid);
    int is_program = process == program;
    /* The program itself has to start. */
    if (is_program && number == __NR_execve) return 0;
    if ((scope == 's' && !is_program) || (scope == 'w' && is_program)) return 0;
    int outcome = 0;
    pthread_mutex_lock(&lock);
    for (int at = 0; at < rule_count && !outcome; at++) {
        struct rule *rule = &rules[at];
        if (rule->call != number) continue;
        unsigned char *met = &met_in[(unsigned)process % PROCESSES][at];
        if (*met < loader_calls(number)) {
            ++*met;
            continue;
        }
        rule->met++;
        if (rule->kind == DELAY) {
            *delay = rule->figure;
            outcome = -1;
        } else if (rule->kind == KILL) {
            if (rule->met == rule->figure) kill(program, SIGKILL);
        } else if (rule->kind == ONCE) {
            if (rule->met == rule->figure) outcome = rule->error;
        } else if (roll() % 1000 < rule->figure) {
            outcome = rule->error;
        }
    }
    pthread_mutex_unlock(&lock);
    return outcome;
}

static void *serve(void *unused) {
    (void)unused;
    for (;;) {
        struct seccomp_notif call;
        memset(&call, 0, sizeof call);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call)) {
            if (errno == EINTR || errno == ENOENT) continue;
            return NULL;
        }
        unsigned long delay = 0;
        int outcome = verdict(&call, &delay);
        if (outcome < 0) {
            struct timespec pause = {(time_t)(delay / 1000), (long)(delay % 1000) * 1000000};
            nanosleep(&pause, NULL);
            outcome = 0;
        }
        struct seccomp_notif_resp answer = {call.id, 0, -outcome, outcome ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        /* Fails if the thread has been killed meanwhile. */
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

int main(int count, char **arguments) {
    if (count < 5) {
        fprintf(stderr, "usage: faults SEED SCOPE RULE... -- PROGRAM ARGUMENT...\n");
        return 125;
    }
    dice = strtoull(arguments[1], NULL, 10);
    scope = arguments[2][0];
    int at = 3;
    for (; at < count && strcmp(arguments[at], "--"); at++) parse(arguments[at]);
    if (++at >= count) return 125;

    /* The listener is made in the program's process and used in this one. They share their descriptors until the program
       starts, because a message between the two might itself be caught. */
    volatile int *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail("cannot map memory");
    *shared = -1;
    pid_t parent = getpid();
    program = (pid_t)syscall(__NR_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (program < 0) fail("cannot fork");
    if (!program) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(125);
        *shared = install();
        execv(arguments[at], arguments + at);
        _exit(125);
    }
    while ((listener = *shared) < 0) {
        if (waitpid(program, NULL, WNOHANG) == program) return 125;
        usleep(100);
    }
    for (int server = 0; server < LISTENERS; server++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL)) fail("cannot start a thread");
    }
    int status;
    while (waitpid(program, &status, 0) < 0)
        if (errno != EINTR) fail("cannot wait");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
