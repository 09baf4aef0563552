// `__shared__` for the emulator. CUDA does not clear shared memory, so every array is filled with NaN before each
// block: a kernel that reads what no thread wrote gets NaN instead of a lucky zero or the last block's value.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "emulator/sanitizer.h"

namespace selfnorm::emulator {

namespace engine {

/** Repeated, it is NaN as half, bfloat16, float and double alike (0x7fa0 would be finite as a double), a bool that
    UBSan rejects, and far out of range as an index. */
inline constexpr std::uint16_t kPoison = 0x7ff7;

void fill_with_poison(void* memory, std::size_t bytes);

/** Remembers the array for poison_shared_arrays, fills it, and closes its redzones to ASan. */
void register_shared_array(void* data, std::size_t bytes, void* before, void* after, std::size_t redzone);

/** Fills every shared array of the program with poison. Only between blocks. */
void poison_shared_arrays();

[[noreturn]] void fail_shared_index(long long index, int size);

}  // namespace engine

/**
 * N elements of block-shared storage, declared by kernels as `SN_SHARED(T, name, N)`: a function-local static, so
 * that its constructor runs once, at first use, and under the compiler's own lock. Converts to T* as an array would.
 * An index outside [0, N) is an EmulatorError in every build; with ASan, one that falls in the redzone is left to
 * ASan, whose report has the line.
 */
template <class T, int N>
class SharedArray {
  static_assert(std::is_trivially_copyable_v<T>, "shared memory holds plain data: CUDA runs no constructor there");
  static_assert(N > 0);

 public:
  SharedArray() { engine::register_shared_array(data_, sizeof(data_), before_, after_, kRedzone); }
  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;

  template <std::integral Index>
  T& operator[](Index index) {
    const auto at = static_cast<long long>(index);
    if (at < 0 || at >= N) check_outside(at);
    return *(data() + at);
  }
  operator T*() { return data(); }
  T* data() { return data_; }
  static constexpr int size() { return N; }

 private:
  static constexpr std::size_t kRedzone = 128;
  static_assert(kRedzone % alignof(T) == 0 && kRedzone % 16 == 0);
  static constexpr long long kRedzoneElements = static_cast<long long>(kRedzone / sizeof(T));

  static void check_outside(long long index) {
    if (kAddressSanitizer && index >= -kRedzoneElements && index < N + kRedzoneElements) return;
    engine::fail_shared_index(index, N);
  }

  alignas(alignof(T) > 16 ? alignof(T) : 16) std::byte before_[kRedzone];
  union {  // no constructor runs; aligned by what stands before it, since its own alignas would pad it from after_
    T data_[N];
  };
  std::byte after_[kRedzone];
};

}  // namespace selfnorm::emulator
