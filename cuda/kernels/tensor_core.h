// The words of tensor-core kernels: a warp's product of fragments (mma.sync), matrices from shared memory (ldmatrix)
// and copies that run on by themselves (cp.async). In the emulator the same words are plain loops over the exact layout
// of the lanes; a copy there arrives as late as it may and leaves poison until then, so that a lost wait or barrier
// shows.
#pragma once

#include "math.h"
#include "range.h"
#include "storage.h"

#if SN_EMULATOR
#include <deque>
#include <string>
#include <vector>
#endif

namespace selfnorm::SN_BUILD {

inline constexpr int kLanes = 32;

// Depth that one product of fragments takes: 32 bytes of a row, whatever the type.
template <class T>
inline constexpr int kFragmentDepth = 32 / int(sizeof(T));

// A lane's four or two words of an operand: 16 x depth of the left one, depth x 8 of the right one. Word order: rows
// 0-7 and rows 8-15 of the depth's first half, then of its second.
using LeftFragment = uint32_t[4];
using RightFragment = uint32_t[2];
// A lane's part of a 16 x 8 result: row lane / 4 and columns 2 (lane % 4) and the next, then the same eight rows down.
using SumFragment = float[4];

// float32 is rounded to TF32 here, to nearest: the tensor cores drop the low 13 bits, which would bias every sum.
// Infinity and NaN stay what they are.
SN_DEVICE uint32_t round_to_tf32(uint32_t bits) {
  const bool finite = math::abs(bit_copy<float>(bits)) < std::numeric_limits<float>::infinity();
  return finite ? bits + 0x1000u : bits;
}

#if SN_GPU

// An address in shared memory, as the instructions take it.
using SharedAddress = uint32_t;
SN_DEVICE SharedAddress shared_address(unsigned char* array) { return uint32_t(__cvta_generic_to_shared(array)); }

class AsyncCopies {
 public:
  // Sixteen bytes, of which all after the first `bytes` become zero and are not read.
  SN_DEVICE void copy(SharedAddress to, const void* from, int bytes) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
  }
  // What was copied since the last call is a group.
  SN_DEVICE void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
  // Until all but the newest groups of this thread have arrived; others see them after a barrier.
  template <int Newest>
  SN_DEVICE void wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(Newest) : "memory");
  }
};

// Four matrices of 8 rows of 16 bytes: lane l gives the address of row l % 8 of matrix l / 8, and gets of each matrix
// the word at row lane / 4, column lane % 4; transposed, which takes the words apart into 16-bit elements, those of row
// 2 (lane % 4) and the next at column lane / 4.
template <bool Transposed>
SN_DEVICE void load_matrices(uint32_t (&words)[4], SharedAddress row) {
  if constexpr (Transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row));
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row));
  }
}

SN_DEVICE uint32_t load_shared(SharedAddress from) {
  uint32_t word;
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(word) : "r"(from));
  return word;
}
SN_DEVICE void load_shared(float (&values)[4], SharedAddress from) {
  asm volatile("ld.shared.v4.f32 {%0,%1,%2,%3}, [%4];"
               : "=f"(values[0]), "=f"(values[1]), "=f"(values[2]), "=f"(values[3])
               : "r"(from)
               : "memory");
}
SN_DEVICE void store_shared(SharedAddress to, float first, float second) {
  asm volatile("st.shared.v2.f32 [%0], {%1,%2};" ::"r"(to), "f"(first), "f"(second) : "memory");
}
SN_DEVICE void store_shared(SharedAddress to, const uint32_t (&words)[4]) {
  asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(to), "r"(words[0]), "r"(words[1]), "r"(words[2]),
               "r"(words[3])
               : "memory");
}

// sums += left right, by the whole warp.
template <class T>
SN_DEVICE void multiply_fragments(SumFragment& sums, const LeftFragment& left, const RightFragment& right) {
#define SN_MMA(shape)                                                                    \
  asm("mma.sync.aligned." shape " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])                       \
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]))
  if constexpr (std::is_same_v<T, float>) {
    SN_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
  } else if constexpr (std::is_same_v<T, half>) {
    SN_MMA("m16n8k16.row.col.f32.f16.f16.f32");
  } else {
    static_assert(std::is_same_v<T, bfloat16>);
    SN_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
  }
#undef SN_MMA
}

#elif SN_EMULATOR

using SharedAddress = unsigned char*;
inline SharedAddress shared_address(unsigned char* array) { return array; }

inline void check_aligned(const void* address, size_t bytes, const char* what) {
  if (reinterpret_cast<uintptr_t>(address) % bytes == 0) return;
  throw emulator::EmulatorError(std::string(what) + ": expected an address that is a multiple of " +
                                std::to_string(bytes));
}

class AsyncCopies {
 public:
  void copy(SharedAddress to, const void* from, int bytes) {
    check_aligned(to, 16, "AsyncCopies");
    check_aligned(from, 16, "AsyncCopies");
    emulator::engine::fill_with_poison(to, 16);
    open_.push_back({to, from, bytes});
  }
  void commit() {
    groups_.push_back(std::move(open_));
    open_.clear();
  }
  template <int Newest>
  void wait() {
    for (; groups_.size() > size_t(Newest); groups_.pop_front()) {
      for (const Copy& copy : groups_.front()) {
        std::memset(copy.to, 0, 16);
        if (copy.bytes > 0) std::memcpy(copy.to, copy.from, size_t(copy.bytes));
      }
    }
  }

 private:
  struct Copy {
    SharedAddress to;
    const void* from;
    int bytes;
  };
  std::vector<Copy> open_;
  std::deque<std::vector<Copy> > groups_;
};

template <class To>
To read_shared(const unsigned char* from) {
  To value;
  std::memcpy(&value, from, sizeof(To));
  return value;
}

template <bool Transposed>
void load_matrices(uint32_t (&words)[4], SharedAddress row) {
  check_aligned(row, 16, "load_matrices");
  SharedAddress rows[kLanes];
  const unsigned lane = emulator::gather(row, rows);
  for (unsigned matrix = 0; matrix < 4; ++matrix) {
    const SharedAddress* const of = rows + 8 * matrix;
    if constexpr (Transposed) {
      const unsigned column = lane / 4 * 2, first = lane % 4 * 2;
      words[matrix] = read_shared<uint16_t>(of[first] + column);
      words[matrix] |= uint32_t(read_shared<uint16_t>(of[first + 1] + column)) << 16;
    } else {
      words[matrix] = read_shared<uint32_t>(of[lane / 4] + lane % 4 * 4);
    }
  }
}

inline uint32_t load_shared(SharedAddress from) {
  check_aligned(from, 4, "load_shared");
  return read_shared<uint32_t>(from);
}
inline void load_shared(float (&values)[4], SharedAddress from) {
  check_aligned(from, 16, "load_shared");
  std::memcpy(values, from, sizeof(values));
}
inline void store_shared(SharedAddress to, float first, float second) {
  check_aligned(to, 8, "store_shared");
  const float both[2] = {first, second};
  std::memcpy(to, both, sizeof(both));
}
inline void store_shared(SharedAddress to, const uint32_t (&words)[4]) {
  check_aligned(to, 16, "store_shared");
  std::memcpy(to, words, sizeof(words));
}

// The element of a word as the tensor cores take it.
template <class T>
float operand_value(uint32_t word, unsigned element) {
  if constexpr (std::is_same_v<T, float>) {
    return bit_copy<float>(word & ~0x1fffu);
  } else {
    return load(T{uint16_t(word >> 16 * element)});
  }
}

template <class T>
void multiply_fragments(SumFragment& sums, const LeftFragment& left, const RightFragment& right) {
  struct Fragments {
    uint32_t left[4], right[2];
  };
  const Fragments mine{{left[0], left[1], left[2], left[3]}, {right[0], right[1]}};
  Fragments all[kLanes];
  const unsigned lane = emulator::gather(mine, all);
  constexpr unsigned kDepth = kFragmentDepth<T>, kPerWord = 4 / sizeof(T);
  for (unsigned s = 0; s < 4; ++s) {
    const unsigned half = s / 2, row = lane / 4, column = lane % 4 * 2 + s % 2;
    for (unsigned d = 0; d < kDepth; ++d) {
      const unsigned later = d / (kDepth / 2), word = d % (kDepth / 2) / kPerWord, element = d % kPerWord;
      sums[s] += operand_value<T>(all[4 * row + word].left[half + 2 * later], element) *
                 operand_value<T>(all[4 * column + word].right[later], element);
    }
  }
}

#endif

}  // namespace selfnorm::SN_BUILD
