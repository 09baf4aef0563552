// Switching stacks, and telling ASan and TSan.
#include "emulator/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
// In the runtime, but in no header.
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace selfnorm::emulator::engine {

namespace {

// Pages that no kernel touches cost nothing.
constexpr std::size_t kStackBytes = 256 * 1024;
constexpr unsigned kOrdered = 0, kUnordered = 1;  // __tsan_switch_to_fiber's flags

}  // namespace

Fiber::Fiber() {
  void* const memory =
      mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  stack_ = static_cast<std::byte*>(memory);
  getcontext(&own_);
  own_.uc_stack.ss_sp = stack_;
  own_.uc_stack.ss_size = kStackBytes;
  // makecontext passes ints.
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(std::uint64_t{self} >> 32),
              static_cast<unsigned>(self));
  // Where swapcontext finds a stack here, ASan forgets what it knows of that stack at every switch.
  own_.uc_stack.ss_sp = nullptr;
  own_.uc_stack.ss_size = 0;
#if defined(__SANITIZE_THREAD__)
  tsan_own_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(tsan_own_);
#endif
  munmap(stack_, kStackBytes);
}

void Fiber::start(Task task, void* argument) {
  task_ = task;
  argument_ = argument;
  switch_to(kOrdered);
}

void Fiber::resume() { switch_to(kUnordered); }

void Fiber::switch_to([[maybe_unused]] unsigned tsan_flags) {
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack_, kStackBytes);
#endif
#if defined(__SANITIZE_THREAD__)
  tsan_resumer_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_own_, tsan_flags);
#endif
  swapcontext(&resumer_, &own_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

void Fiber::yield() {
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, asan_resumer_stack_, asan_resumer_bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
  void* resumer;
  {
    const Unwatched unwatched;
    resumer = tsan_resumer_;
  }
  __tsan_switch_to_fiber(resumer, kUnordered);
#endif
  swapcontext(&own_, &resumer_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack, &asan_resumer_stack_, &asan_resumer_bytes_);
#endif
}

void Fiber::enter(unsigned high, unsigned low) {
  reinterpret_cast<Fiber*>(static_cast<std::uintptr_t>(std::uint64_t{high} << 32 | low))->serve();
}

void Fiber::serve() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &asan_resumer_stack_, &asan_resumer_bytes_);
#endif
  for (;;) {
    task_(argument_);
    yield();
  }
}

Unwatched::Unwatched() {
#if defined(__SANITIZE_THREAD__)
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}

Unwatched::~Unwatched() {
#if defined(__SANITIZE_THREAD__)
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

void Edge::give() {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(&address_);
#endif
}

void Edge::take() {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(&address_);
#endif
}

}  // namespace selfnorm::emulator::engine
