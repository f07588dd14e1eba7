/*
 * readonly PATH... -- PROGRAM [ARG...]    runs PROGRAM so that nothing under the PATHs can be changed by it
 * readonly --check                        prints the kernel's Landlock ABI; exit 1 where there is none
 *
 * Landlock refuses writes, truncation, renames, links and removals, and tracing of and (ABI 6) signals to processes
 * outside. It knows no rule "everything but": everything beside the paths is allowed instead, entry by entry, so new
 * names can not be made in a directory that holds one of them. It cannot refuse changes of modes, owners and times:
 * seccomp refuses those calls altogether, which a program that only answers questions does not need.
 *
 * PROGRAM also loses new privileges (set-user-id) and dies with the process that started it.
 * Static, raw system calls only: gcc -Os -static -s -o readonly readonly.c
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not from linux/landlock.h: the headers of the build may be older than the kernel. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, RULE_PATH_BENEATH = 1, SCOPE_SIGNAL = 2 };
#define FS(bit) (1ULL << (bit))
#define WRITES_ABI1 (FS(1) | (FS(13) - FS(4))) /* write a file; remove and make entries of every type */
#define REFER FS(13)                           /* ABI 2: rename and link into another directory */
#define TRUNCATE FS(14)                        /* ABI 3 */
#define FILE_WRITES (FS(1) | TRUNCATE)         /* what makes sense for a rule on a file */

struct ruleset { uint64_t fs, net, scoped; };
struct __attribute__((packed)) path_beneath { uint64_t access; int32_t parent; };

static void fail(const char *what) {
	fprintf(stderr, "readonly: %s: %s\n", what, strerror(errno));
	exit(126);
}

static void allow(int ruleset, int directory, const char *name, uint64_t access) {
	int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat info;
	if (fd < 0) return; /* gone, or not ours to reach: nothing to allow */
	if (fstat(fd, &info) == 0 && !S_ISLNK(info.st_mode)) {
		struct path_beneath rule = {S_ISDIR(info.st_mode) ? access : access & FILE_WRITES, fd};
		/* Some file systems cannot be named in rules (EBADFD): they stay refused. */
		syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
	}
	close(fd);
}

/* Whether `path` is `base` or lies below it. */
static int within(const char *path, const char *base) {
	size_t length = strcmp(base, "/") == 0 ? 0 : strlen(base);
	return strncmp(path, base, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Allows everything below `directory` that is no path in `kept`, nor leads to one. */
static void allow_beside(int ruleset, const char *directory, char **kept, int count, uint64_t access) {
	DIR *entries = opendir(directory);
	if (entries == NULL) return;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		char path[PATH_MAX];
		int is_kept = 0, leads = 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		if (snprintf(path, sizeof path, "%s/%s", directory[1] ? directory : "", entry->d_name) >= PATH_MAX) continue;
		for (int i = 0; i < count; i++) {
			is_kept |= within(path, kept[i]);
			leads |= within(kept[i], path);
		}
		if (is_kept) continue;
		if (leads) allow_beside(ruleset, path, kept, count, access);
		else allow(ruleset, dirfd(entries), entry->d_name, access);
	}
	closedir(entries);
}

static void restrict_files(long abi, char **kept, int count) {
	uint64_t access = WRITES_ABI1 | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0);
	struct ruleset attributes = {access, 0, abi >= 6 ? SCOPE_SIGNAL : 0};
	size_t size = abi >= 6 ? sizeof attributes : abi >= 4 ? 16 : 8;
	int ruleset = syscall(CREATE_RULESET, &attributes, size, 0);
	if (ruleset < 0) fail("landlock_create_ruleset");
	allow_beside(ruleset, "/", kept, count, access);
	if (syscall(RESTRICT_SELF, ruleset, 0) != 0) fail("landlock_restrict_self");
	close(ruleset);
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

static void restrict_calls(void) {
	static const unsigned refused[] = {
#ifdef SYS_chmod
		SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
		SYS_fchmod, SYS_fchmodat, 452 /* fchmodat2 */, SYS_fchown, SYS_fchownat, SYS_utimensat,
		SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
		463 /* setxattrat */, 466 /* removexattrat */, 469 /* file_setattr */,
		425 /* io_uring_setup: calls of its own */,
	};
	enum { COUNT = sizeof refused / sizeof *refused };
	struct sock_filter filter[COUNT + 7], *at = filter;
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, COUNT + 3);
	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	/* The x32 calls of x86-64 have numbers of their own. */
	*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, COUNT + 1, 0);
	for (int i = 0; i < COUNT; i++)
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], COUNT - i, 0);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	struct sock_fprog program = {at - filter, filter};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0 && errno != EINVAL) fail("seccomp");
}

int main(int argc, char **argv) {
	long abi = syscall(CREATE_RULESET, NULL, 0, 1 /* version */);
	if (argc == 2 && strcmp(argv[1], "--check") == 0) {
		printf("%ld\n", abi < 0 ? 0 : abi);
		return abi < 1;
	}
	int count = 0;
	while (1 + count < argc && strcmp(argv[1 + count], "--") != 0) count++;
	if (count == 0 || 2 + count >= argc) {
		fputs("usage: readonly PATH... -- PROGRAM [ARG...]\n", stderr);
		return 64;
	}
	for (int i = 1; i <= count; i++) {
		char *real = realpath(argv[i], NULL);
		if (real != NULL) argv[i] = real;
		else if (errno != ENOENT) fail(argv[i]);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (abi >= 1) restrict_files(abi, argv + 1, count);
	restrict_calls();
	execvp(argv[2 + count], argv + 2 + count);
	fail(argv[2 + count]);
}
