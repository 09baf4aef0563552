// Sleeping on an atomic word. Not std::atomic::wait: its table of waiters, shared by all words, is itself made of
// acquire-release counters, and TSan would take two threads that merely went to sleep as synchronised and miss
// the race between them. Here the only edges are the loads and stores written at the call.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>

namespace selfnorm::emulator::engine {

using Word = std::atomic<std::uint32_t>;
static_assert(sizeof(Word) == 4 && Word::is_always_lock_free);

/** Sleeps while `word` holds `seen`, until woken; may also return early, so callers loop. */
inline void futex_wait(Word& word, std::uint32_t seen) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}

/** As futex_wait, for at most `limit`. */
inline void futex_wait_for(Word& word, std::uint32_t seen, std::chrono::nanoseconds limit) {
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(limit.count() / 1'000'000'000);
  timeout.tv_nsec = static_cast<long>(limit.count() % 1'000'000'000);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, seen, &timeout, nullptr, 0);
}

/** Wakes every thread that sleeps on `word`. Change the word first, or they go back to sleep. */
inline void futex_wake_all(Word& word) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace selfnorm::emulator::engine
