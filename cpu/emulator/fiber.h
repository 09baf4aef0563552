// A stack of its own that runs until it yields. A block's CUDA threads are fibers on one OS thread: a barrier of 256 of
// them is 256 switches of a stack, where OS threads would go to sleep and be woken. Each sanitizer is told of every
// switch: to TSan a fiber is a thread of its own, and a switch orders nothing.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <memory>

#include "emulator/sanitizer.h"

namespace selfnorm::emulator::engine {

class Fiber {
 public:
  using Task = void (*)(void* argument);

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /** Runs task(argument) until it yields or returns; what the caller did before happens before it. Only when idle. */
  void start(Task task, void* argument);

  /** Goes on after `yield`, until the next or the end of the task. */
  void resume();

  /** From inside the task: back to who started or resumed it. */
  void yield();

 private:
  static void enter(unsigned high, unsigned low);
  [[noreturn]] void serve();
  void switch_to(unsigned tsan_flags);

  std::byte* stack_;
  ucontext_t own_{};
  ucontext_t resumer_{};
  Task task_ = nullptr;
  void* argument_ = nullptr;
  void* tsan_own_ = nullptr;
  void* tsan_resumer_ = nullptr;
  const void* asan_resumer_stack_ = nullptr;
  std::size_t asan_resumer_bytes_ = 0;
};

/** While one lives, TSan does not look at what its thread reads and writes: the emulator's own books are kept by all
   fibers, one at a time. */
class Unwatched {
 public:
  Unwatched();
  ~Unwatched();
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
};

/** A happens-before edge that TSan sees: what a thread did before `give` happens before what another does after `take`.
 */
class Edge {
 public:
  void give();
  void take();

 private:
  char address_ = 0;
};

}  // namespace selfnorm::emulator::engine
