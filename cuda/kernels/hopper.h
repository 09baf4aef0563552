// The words of sm_90a that the wgmma kernel is written in: barriers in shared memory that count bytes (mbarrier),
// copies of whole boxes by the tensor memory accelerator (TMA), and products of a warpgroup that read shared memory
// themselves (wgmma). nvcc alone knows them; the emulator does not run what uses them.
#pragma once

#include <cuda.h>

#include "tensor_core.h"

namespace selfnorm::SN_BUILD {

inline constexpr int kWarpgroup = 128;

// ---- Barriers in shared memory ----

SN_DEVICE void init_barrier(SharedAddress barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
// Makes initialised barriers known to the copies.
SN_DEVICE void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
SN_DEVICE void arrive(SharedAddress barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
SN_DEVICE void arrive_and_expect(SharedAddress barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
// Until the barrier's phase of this parity is over.
SN_DEVICE void wait(SharedAddress barrier, int parity) {
  asm volatile(
      "{\n.reg .pred over;\nWAIT:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n"
      "@over bra DONE;\nbra WAIT;\nDONE:\n}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

// A barrier of one warpgroup; 0 is __syncthreads'.
SN_DEVICE void sync_warpgroup(int barrier) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "n"(kWarpgroup) : "memory");
}

// ---- Copies by TMA ----

// The box of a tensor whose first element has these coordinates, innermost first; what lies outside becomes zero.
SN_DEVICE void copy_box(SharedAddress to, const CUtensorMap& map, SharedAddress barrier, int x, int y, int z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], "
      "[%2];" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(x), "r"(y), "r"(z)
      : "memory");
}
SN_DEVICE void prefetch_map(const CUtensorMap& map) { asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory"); }

// ---- Products of a warpgroup ----

// An operand in shared memory as TMA lays it with a swizzle of 128 bytes: lines of 128 bytes, eight of which make an
// atom. DepthInner: a line runs along depth, and `lines` atoms follow each other down the other axis. Otherwise a line
// holds 64 rows or columns, atoms follow each other along depth, and the next 64 begin `next_lines` bytes on.
template <bool DepthInner>
SN_DEVICE uint64_t describe_operand(SharedAddress from, int next_lines) {
  constexpr uint64_t kAtom = 1024, kSwizzle128 = 1;
  const uint64_t leading = DepthInner ? 1 : uint64_t(next_lines) >> 4;
  return uint64_t((from & 0x3ffffu) >> 4) | leading << 16 | (kAtom >> 4) << 32 | kSwizzle128 << 62;
}

SN_DEVICE void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
SN_DEVICE void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Until all but the newest groups of products are done.
template <int Newest>
SN_DEVICE void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Newest) : "memory");
}

// A warpgroup's 64 x 128 sums: fragments of 8 columns, each as mma.sync has them, 16 rows a warp.
using WideSums = SumFragment[16];

// sums (+)= a b, 64 x 16 by 16 x 128.
template <class T, bool TransposeA, bool TransposeB>
SN_DEVICE void multiply_wide(WideSums& d, uint64_t a, uint64_t b, int accumulate) {
#define SN_SUMS(j) "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3])
#define SN_WGMMA(types)                                                                                             \
  asm volatile(                                                                                                     \
      "{\n.reg .pred add;\nsetp.ne.b32 add, %66, 0;\n"                                                              \
      "wgmma.mma_async.sync.aligned.m64n128k16.f32." types                                                          \
      " {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,"            \
      "%26,%27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,"            \
      "%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, %64, %65, add, 1, 1, %67, %68;\n}\n"               \
      : SN_SUMS(0), SN_SUMS(1), SN_SUMS(2), SN_SUMS(3), SN_SUMS(4), SN_SUMS(5), SN_SUMS(6), SN_SUMS(7), SN_SUMS(8), \
        SN_SUMS(9), SN_SUMS(10), SN_SUMS(11), SN_SUMS(12), SN_SUMS(13), SN_SUMS(14), SN_SUMS(15)                    \
      : "l"(a), "l"(b), "r"(accumulate), "n"(int(TransposeA)), "n"(int(TransposeB)))
  if constexpr (std::is_same_v<T, half>) {
    SN_WGMMA("f16.f16");
  } else {
    static_assert(std::is_same_v<T, bfloat16>);
    SN_WGMMA("bf16.bf16");
  }
#undef SN_WGMMA
#undef SN_SUMS
}

// Registers of this warpgroup's threads from here on: what a producer does not need, multipliers take.
template <int Count>
SN_DEVICE void keep_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Count));
}
template <int Count>
SN_DEVICE void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Count));
}

}  // namespace selfnorm::SN_BUILD
