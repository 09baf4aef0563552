// One kernel source for nvcc, the CPU backend and the emulator: this header gives CUDA's words to whoever lacks them,
// and is the only file that asks which compiler is running.
//   SN_BUILD  namespace of this build flavour (cuda, cpu_v3, emulator, ...), given by the build
//   SN_GPU    1 under nvcc      SN_EMULATOR  1 in the emulator      both 0: CPU backend, blocks of one thread
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#ifndef SN_BUILD
#error "SN_BUILD (the namespace of this build flavour) is not defined: compile through CMake"
#endif
#ifndef SN_EMULATOR
#define SN_EMULATOR 0
#endif

#ifdef __CUDACC__
#define SN_GPU 1
#define SN_HD __host__ __device__ __forceinline__
#define SN_DEVICE __device__ __forceinline__
#define SN_SHARED(Type, name, count) __shared__ Type name[count]
// More shared memory than a kernel may declare: the launch gives it. One array a kernel.
#define SN_LARGE_SHARED(name, bytes) extern __shared__ __align__(128) unsigned char name[]
// Iterations are independent: an element is read before it is written and no other element is touched.
#define SN_INDEPENDENT
#define SN_SIMD_SUM(...)
#define SN_SIMD _Pragma("unroll")
#define SN_UNROLL _Pragma("unroll")
#define SN_ROLLED _Pragma("unroll 1")
#else
#define SN_GPU 0
#define SN_HD inline
#define SN_DEVICE inline
// CUDA's own headers define these too, where the CUDA runtime's host sources include both.
#ifndef __global__
#define __global__
#endif
#ifndef __launch_bounds__
#define __launch_bounds__(...)
#endif
#if SN_EMULATOR
#include "emulator/thread_block.h"
#define SN_SHARED(Type, name, count) static ::selfnorm::emulator::SharedArray<Type, count> name
#else
#define SN_SHARED(Type, name, count) static thread_local Type name[count]
#endif
#define SN_LARGE_SHARED(name, bytes) SN_SHARED(unsigned char, name, bytes)
#if defined(__clang__)
#define SN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define SN_INDEPENDENT _Pragma("GCC ivdep")
#endif
#define SN_PRAGMA(text) _Pragma(#text)
// Lets the compiler keep several partial sums: the order of additions is fixed by the flavour, not by the thread count.
#define SN_SIMD_SUM(variable) SN_PRAGMA(omp simd reduction(+ : variable))
// For loops over a fixed few lanes: they become vectors, where the compiler would unroll them into scalars first.
#define SN_SIMD SN_PRAGMA(omp simd)
#define SN_UNROLL
#define SN_ROLLED
#endif

namespace selfnorm::SN_BUILD {

// Host compilers see `#if SN_GPU` at preprocessing time; templates ask these.
inline constexpr bool kGpu = SN_GPU != 0;
inline constexpr bool kEmulator = SN_EMULATOR != 0;
// Real blocks of threads (GPU, emulator) or blocks of one thread (CPU backend).
inline constexpr bool kManyThreads = kGpu || kEmulator;

// Copies bits without breaking aliasing rules; compiles to a register move.
template <class To, class From>
SN_HD To bit_copy(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(To));
  return to;
}

}  // namespace selfnorm::SN_BUILD
