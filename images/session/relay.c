/*
 * relay [open=SOCKET] [PORT=SOCKET]... -- PROGRAM [ARGUMENT]...
 *
 * The first process of a session. It runs PROGRAM, and for each PORT listens on 127.0.0.1 and joins every connection to the
 * Unix socket SOCKET, which lies on a mount and is served from outside: in a session without a network, what is not behind one of
 * the sockets cannot be reached, whatever the program does. With `open`, the socket that the program makes there is opened to the
 * users of the machine outside, as soon as it is there. Signals are passed on, orphans are reaped, and PROGRAM's end is ours: its exit
 * code, or 128+n when signal n ended it; 127 when it is not there, 126 when it cannot be run.
 *
 * One static file without libraries of its own, since it runs in images that know nothing of us.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 16, BUFFER = 65536, USAGE = 64, LOOK_MS = 5 };

struct forward {
  int listener;
  struct sockaddr_un target;
};

static void fail(const char *what) {
  fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
  exit(70);
}

static struct forward parse(const char *text) {
  struct forward made = {.target = {.sun_family = AF_UNIX}};
  char *end;
  const long port = strtol(text, &end, 10);
  if (end == text || *end != '=' || port < 1 || port > 65535 || strlen(end + 1) == 0 ||
      strlen(end + 1) >= sizeof made.target.sun_path) {
    fprintf(stderr, "relay: %s is not PORT=SOCKET\n", text);
    exit(USAGE);
  }
  strcpy(made.target.sun_path, end + 1);
  const int on = 1;
  const struct sockaddr_in here = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  made.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made.listener < 0) fail("socket");
  setsockopt(made.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(made.listener, (const struct sockaddr *)&here, sizeof here) != 0 || listen(made.listener, 128) != 0) fail(text);
  return made;
}

/* Moves what is there from one to the other; 0 when `from` has ended. */
static int pump(int from, int to, char *buffer) {
  const ssize_t got = read(from, buffer, BUFFER);
  if (got < 0) return errno == EINTR;
  if (got == 0) {
    shutdown(to, SHUT_WR);
    return 0;
  }
  for (ssize_t done = 0; done < got;) {
    const ssize_t put = write(to, buffer + done, (size_t)(got - done));
    if (put < 0 && errno != EINTR) _exit(0);
    if (put > 0) done += put;
  }
  return 1;
}

/* One connection, in a process of its own, until both directions have ended. */
static void join(int client, const struct sockaddr_un *target) {
  static char buffer[BUFFER];
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || connect(server, (const struct sockaddr *)target, sizeof *target) != 0) _exit(1);
  struct pollfd ends[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends, 2, -1) < 0) {
      if (errno == EINTR) continue;
      _exit(1);
    }
    if (ends[0].revents && !pump(client, server, buffer)) ends[0].fd = -1;
    if (ends[1].revents && !pump(server, client, buffer)) ends[1].fd = -1;
  }
  _exit(0);
}

static pid_t run(char **program, const sigset_t *mask) {
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid > 0) return pid;
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(program[0], program);
  fprintf(stderr, "%s: %s\n", program[0], strerror(errno));
  _exit(errno == ENOENT ? 127 : 126);
}

int main(int argc, char **argv) {
  struct forward forwards[MOST];
  const char *unopened = NULL;
  int count = 0, at = 1;
  if (argc > 1 && strncmp(argv[1], "open=", 5) == 0) unopened = argv[at++] + 5;
  for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
    if (count == MOST) {
      fprintf(stderr, "relay: more than %d forwards\n", MOST);
      return USAGE;
    }
    forwards[count++] = parse(argv[at]);
  }
  if (at + 1 >= argc) {
    fprintf(stderr, "usage: relay [open=SOCKET] [PORT=SOCKET]... -- PROGRAM [ARGUMENT]...\n");
    return USAGE;
  }
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const int signals = signalfd(-1, &all, SFD_CLOEXEC);
  if (signals < 0) fail("signalfd");
  const pid_t program = run(argv + at + 1, &before);
  struct pollfd waiting[MOST + 1] = {{.fd = signals, .events = POLLIN}};
  for (int i = 0; i < count; i++) waiting[i + 1] = (struct pollfd){.fd = forwards[i].listener, .events = POLLIN};
  for (;;) {
    if (poll(waiting, (nfds_t)count + 1, unopened ? LOOK_MS : -1) < 0 && errno != EINTR) fail("poll");
    if (unopened && chmod(unopened, 0777) == 0) unopened = NULL;
    struct signalfd_siginfo told;
    if ((waiting[0].revents & POLLIN) && read(signals, &told, sizeof told) == sizeof told) {
      if (told.ssi_signo != SIGCHLD) kill(program, (int)told.ssi_signo);
      int status;
      for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
        if (ended == program) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    for (int i = 0; i < count; i++) {
      if (!(waiting[i + 1].revents & POLLIN)) continue;
      const int client = accept4(forwards[i].listener, NULL, NULL, SOCK_CLOEXEC);
      if (client < 0) continue;
      if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        signal(SIGPIPE, SIG_IGN);
        join(client, &forwards[i].target);
      }
      close(client);
    }
  }
}
