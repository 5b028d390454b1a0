/* patient.c - see patient.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "patient.h"
#include "base/log.h"
#include "libos/machine.h"
#include "libos/table.h"
#include "link/veth.h"
#include "rt/config.h"
#include <demi/libos.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LEFT_OUT = 77, CASE_SECONDS = 60, TEXT_BYTES = 1 << 16, LINES_MAX = 8, CASES_MAX = 64 };

static struct findings found;

void patient_check(bool cond, const char *what, const char *file, int line)
{
	if (cond)
		return;
	dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", file, line, what);
	for (unsigned i = 0; i < found.count; i++)
		dprintf(STDERR_FILENO, "  %s: %s: %s\n", found.items[i].id, found.items[i].what,
			found.items[i].remedy);
	_exit(1);
}

void leave_out(const char *why)
{
	dprintf(STDERR_FILENO, "left out: %s\n", why);
	_exit(LEFT_OUT);
}

void configure_all(const char *libos, const char *yaml)
{
	char path[64];
	int fd = memfd_create("patient.yaml", 0);

	check(fd >= 0);
	check(write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
	setenv("CONFIG_PATH", path, 1);
	setenv("LIBOS", libos, 1);
}

void configure(const char *raw_socket)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml),
		 "demikernel:\n  local_ipv4_addr: 10.9.0.1/24\n"
		 "raw_socket:\n  linux_interface_name: va\n%s",
		 raw_socket);
	configure_all("catpowder", yaml);
}

void command(const char *format, ...)
{
	char text[512], quiet[600];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(quiet, sizeof(quiet), "{ %s; } >/dev/null", text);
	status = system(quiet);
	if (status != 0)
		dprintf(STDERR_FILENO, "exit status %d: %s\n", WEXITSTATUS(status), text);
	check(status == 0);
}

static void enter(pid_t inside)
{
	char path[64];
	int fd;

	if (inside < 0) {
		check(unshare(CLONE_NEWNET) == 0);
	} else if (inside > 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)inside);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		check(fd >= 0 && setns(fd, CLONE_NEWNET) == 0);
		close(fd);
	}
}

pid_t start(void (*fn)(void), pid_t inside)
{
	int ready[2];
	pid_t pid;

	check(pipe(ready) == 0);
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter(inside);
		if (fn)
			fn();
		check(write(ready[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	check(read(ready[0], &(char){0}, 1) == 1);
	close(ready[0]);
	return pid;
}

void drop(const int *capabilities)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	check(syscall(SYS_capget, &head, data) == 0);
	for (; *capabilities >= 0; capabilities++) {
		prctl(PR_CAPBSET_DROP, *capabilities, 0, 0, 0);
		data[*capabilities / 32].effective &= ~(1u << *capabilities % 32);
		data[*capabilities / 32].permitted &= ~(1u << *capabilities % 32);
		data[*capabilities / 32].inheritable &= ~(1u << *capabilities % 32);
	}
	check(syscall(SYS_capset, &head, data) == 0);
}

void forbid(long call, long first, int error)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)first, 0, first < 0 ? 0 : 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void examine(void)
{
	const struct libos_class *class = libos_find(getenv("LIBOS"));
	struct config_problem problem;
	struct config config;

	check(class != NULL);
	memset(&found, 0, sizeof(found));
	machine_examine(&found);
	if (config_read(&config, NULL, &problem) != 0)
		return;
	class->examine(&config, &found);
	config_free(&config);
}

const struct finding *expect(const char *id, enum finding_level level)
{
	const struct finding *f;

	examine();
	f = findings_find(&found, id);
	if (!f)
		dprintf(STDERR_FILENO, "%s was not found\n", id);
	check(f != NULL);
	check(f->level == level);
	check(strlen(f->what) < FINDING_WHAT_BYTES - 1);
	check(strlen(f->remedy) < FINDING_REMEDY_BYTES - 1);
	return f;
}

void expect_none(const char *id)
{
	examine();
	if (findings_find(&found, id))
		dprintf(STDERR_FILENO, "%s is still there\n", id);
	check(findings_find(&found, id) == NULL);
}

/* What demi_init() logged, in memory shared with the process that called it. */
struct diary {
	int rc;
	int count;
	char lines[LINES_MAX][LOG_LINE_BYTES];
};
static struct diary *diary;

static void note_line(int level, const char *line)
{
	if (level <= LOG_LEVEL_WARN && diary->count < LINES_MAX)
		snprintf(diary->lines[diary->count++], LOG_LINE_BYTES, "%s", line);
}

static void init(void)
{
	int status;
	pid_t pid;

	if (!diary)
		diary = mmap(NULL, sizeof(*diary), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(diary != MAP_FAILED);
	memset(diary, 0, sizeof(*diary));
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		log_set_sink(note_line);
		diary->rc = demi_init(NULL);
		exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0);
}

static bool logged(const struct finding *f)
{
	char line[LOG_LINE_BYTES];

	snprintf(line, sizeof(line), "%s: %s", f->what, f->remedy);
	for (int i = 0; i < diary->count; i++) {
		if (strcmp(diary->lines[i], line) == 0)
			return true;
	}
	return false;
}

void expect_init(int error, const char *id)
{
	init();
	if (diary->rc != error)
		dprintf(STDERR_FILENO, "demi_init gave %d (%s): %s\n", diary->rc,
			strerror(diary->rc), diary->lines[0]);
	check(diary->rc == error);
	if (!id)
		return;
	examine();
	check(findings_find(&found, id) != NULL);
	if (!logged(findings_find(&found, id)))
		dprintf(STDERR_FILENO, "demi_init logged: %s\n", diary->lines[0]);
	check(logged(findings_find(&found, id)));
}

void expect_init_warns(const char *id)
{
	const struct finding *f;
	char line[LOG_LINE_BYTES];

	init();
	examine();
	f = findings_find(&found, id);
	check(diary->rc == 0 && f != NULL);
	snprintf(line, sizeof(line), "%s: %s", f->what, f->remedy);
	if (diary->count != 1 || strncmp(diary->lines[0], line, strlen(line)) != 0)
		dprintf(STDERR_FILENO, "%d lines, the first: %s\n", diary->count, diary->lines[0]);
	check(diary->count == 1);
	check(strncmp(diary->lines[0], line, strlen(line)) == 0);
}

FILE *doctor(const char *format, ...)
{
	const char *wrapper = getenv("DEMI_TEST_WRAPPER"); /* see tests/wrapped.sh */
	char arguments[256], line[1024];
	va_list args;
	FILE *out;

	va_start(args, format);
	vsnprintf(arguments, sizeof(arguments), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "%s %s/demi doctor %s", wrapper ? wrapper : "",
		 getenv("DEMI_TEST_PROGRAMS"), arguments);
	out = popen(line, "re");
	check(out != NULL);
	return out;
}

void expect_tool(const char *id, int status)
{
	const struct finding *f = findings_find(&found, id);
	char text[TEXT_BYTES], want[1024];
	size_t len;
	FILE *out;

	check(f != NULL);
	out = doctor("--libos %s --json", getenv("LIBOS"));
	len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	check(WEXITSTATUS(pclose(out)) == status);
	snprintf(want, sizeof(want), "{\"id\": \"%s\", \"level\": \"%s\", \"what\": \"%s\"", id,
		 f->level == FINDING_ERROR     ? "error"
		 : f->level == FINDING_WARNING ? "warning"
					       : "note",
		 f->what);
	if (!strstr(text, want))
		dprintf(STDERR_FILENO, "not in the report: %s\n%s\n", want, text);
	check(strstr(text, want) != NULL);
}

void expect_error(const char *id, int error)
{
	expect(id, FINDING_ERROR);
	expect_init(error, id);
	expect_tool(id, 1);
}

/* A remedy is a command, and what else one could do behind a comma. */
/* NAME=VALUE, and more of them behind blanks. */
static void export(char *assignments)
{
	for (char *at = strtok(assignments, " "); at; at = strtok(NULL, " ")) {
		char *value = strchr(at, '=');

		check(value != NULL);
		*value = '\0';
		setenv(at, value + 1, 1);
	}
}

void carry_out(char *remedy)
{
	char *alternative = strstr(remedy, ", or "), *value;

	if (!alternative)
		alternative = strstr(remedy, ", and ");
	if (alternative)
		*alternative = '\0';
	if (strncmp(remedy, "export ", 7) == 0) {
		export(remedy + 7);
		return;
	}
	while ((value = strstr(remedy, "sudo ")) != NULL)
		memset(value, ' ', 5);
	while ((value = strstr(remedy, "$$")) != NULL) { /* the shell that starts the program: us */
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		command("%.*s%s%s", (int)(value - remedy), remedy, pid, value + 2);
		return;
	}
	command("%s", remedy);
}

void repair(const char *id)
{
	char remedy[FINDING_REMEDY_BYTES];
	const struct finding *f;

	examine();
	f = findings_find(&found, id);
	check(f != NULL);
	memcpy(remedy, f->remedy, sizeof(remedy));
	carry_out(remedy);
	for (unsigned i = 0; i < 100; i++) { /* what was ended takes a moment to be gone */
		examine();
		if (!findings_find(&found, id))
			return;
		usleep(20000);
	}
	expect_none(id);
}

void without(const int *capabilities, void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	check(pid >= 0);
	if (pid == 0) {
		drop(capabilities);
		fn();
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0);
}

/* Valgrind, for one: see tests/wrapped.sh. */
static long slowdown(void)
{
	const char *times = getenv("DEMI_TEST_SLOWDOWN");

	return times ? strtol(times, NULL, 10) : 1;
}

static void play(const struct doctor_case *c)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(CASE_SECONDS * (unsigned int)slowdown());
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	if (unshare(CLONE_NEWNET) != 0)
		leave_out("making a network namespace needs CAP_SYS_ADMIN (run as root)");
	check(veth_create("va", "vb") == 0);
	command("ip link set lo up");
	c->fn();
	_exit(0);
}

static void run_case(void **state)
{
	const struct doctor_case *c = *state;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		play(c);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == LEFT_OUT)
		skip();
	if (WIFSIGNALED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	assert_int_equal(status, 0);
}

int patient_run_all(const char *group, const struct doctor_case *cases, int count)
{
	static struct CMUnitTest tests[CASES_MAX];

	if (count > CASES_MAX)
		return 1;
	for (int i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
					       .test_func = run_case,
					       .initial_state = (void *)(uintptr_t)&cases[i]};
	return _cmocka_run_group_tests(group, tests, (size_t)count, NULL, NULL);
}
