// Preloaded into a process under test: the nth call to the system that concerns files below a folder fails, is cut short, or is the
// last thing the process does. What to do is read from a file in shared memory, so that the process can ask for it itself:
//   int64 first, count, kind, seen; then a letter for each call that was seen.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum Kind { kError = 0, kShortWrite = 1, kNothingWritten = 2, kKill = 3 };
enum { kMostFiles = 4096, kMostCalls = 1000 };

struct Control {
  // Calls from number `first` on, `count` of them, fail; `kind` is a Kind, with the errno in its upper half.
  int64_t first, count, kind, seen;
  char calls[kMostCalls];
};

static struct Control* control;
static const char* folder;
static char ours[kMostFiles];

__attribute__((constructor)) static void start(void) {
  folder = getenv("FAULTS_FOLDER");
  const char* path = getenv("FAULTS_CONTROL");
  if (folder == NULL || path == NULL) return;
  const int file = open(path, O_RDWR);
  if (file < 0) return;
  void* memory = mmap(NULL, sizeof(struct Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) control = memory;
  close(file);
}

static int is_ours(int file) { return control != NULL && file >= 0 && file < kMostFiles && ours[file]; }

// Counts a call and says whether it is one that fails.
static int fails(char call) {
  const int64_t number = control->seen++;
  if (number < kMostCalls) control->calls[number] = call;
  if (number < control->first || number - control->first >= control->count) return 0;
  if ((control->kind & 0xffff) == kKill) raise(SIGKILL);
  errno = (int)(control->kind >> 16);
  return 1;
}

static int error_only(void) { return (control->kind & 0xffff) == kError; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int opened(int file, const char* path) {
  if (file >= 0 && file < kMostFiles) ours[file] = control != NULL && strncmp(path, folder, strlen(folder)) == 0;
  return file;
}

static int concerns(const char* path) { return control != NULL && strncmp(path, folder, strlen(folder)) == 0; }

#define OPEN(name)                                                            \
  int name(const char* path, int flags, ...) {                                \
    va_list arguments;                                                        \
    va_start(arguments, flags);                                               \
    const mode_t mode = (flags & O_CREAT) ? va_arg(arguments, mode_t) : 0;    \
    va_end(arguments);                                                        \
    if (concerns(path) && fails((flags & O_ACCMODE) == O_RDONLY ? 'r' : 'o') && error_only()) return -1; \
    return opened(REAL(name)(path, flags, mode), path);                       \
  }
OPEN(open)
OPEN(open64)

#define WRITE(name, parameters, whole, half)                                  \
  ssize_t name parameters {                                                   \
    if (is_ours(file) && fails('w')) {                                        \
      const int kind = (int)(control->kind & 0xffff);                         \
      if (kind == kNothingWritten) return 0;                                  \
      if (kind == kError) return -1;                                          \
      return half;                                                            \
    }                                                                         \
    return whole;                                                             \
  }
WRITE(write, (int file, const void* bytes, size_t count), REAL(write)(file, bytes, count),
      REAL(write)(file, bytes, count / 2 + 1))
WRITE(pwrite64, (int file, const void* bytes, size_t count, off64_t at), REAL(pwrite64)(file, bytes, count, at),
      REAL(pwrite64)(file, bytes, count / 2 + 1, at))

int fsync(int file) {
  if (is_ours(file) && fails('s') && error_only()) return -1;
  return REAL(fsync)(file);
}

int rename(const char* from, const char* to) {
  if (concerns(to) && fails('m') && error_only()) return -1;
  return REAL(rename)(from, to);
}

int close(int file) {
  if (file >= 0 && file < kMostFiles) ours[file] = 0;
  return REAL(close)(file);
}
