#include "matmul_mma.h"

#include "../kernels/matmul_mma.cuh"
#include "matmul_arguments.h"
#include "runtime/launch.h"

namespace selfnorm::SN_BUILD {
namespace {

template <class T, bool TransposeA, bool TransposeB, class Tile>
void start(Queue& queue, const MatmulProblem& p, const MatmulOperands& o) {
  const MmaProblem<T> problem{static_cast<const T*>(o.a),
                              static_cast<const T*>(o.b),
                              p.m,
                              p.n,
                              p.k,
                              p.stride_a,
                              p.stride_b,
                              wide_rows<T>(o.a, TransposeA ? p.m : p.k, p.stride_a),
                              wide_rows<T>(o.b, TransposeB ? p.k : p.n, p.stride_b)};
  launch(queue, TileGrid{tile_count<Tile>(p.m, p.n, p.batch), Tile::kThreads, Tile::kBytes},
         matmul_mma_kernel<T, TransposeA, TransposeB, Tile>, problem, epilogue_of<T>(p, o));
}

template <class T, class Tile>
void start(Queue& queue, const MatmulProblem& p, const MatmulOperands& o) {
  with_transposes(p, [&](auto a, auto b) { start<T, decltype(a)::value, decltype(b)::value, Tile>(queue, p, o); });
}

template <class T>
void start(Queue& queue, const MatmulProblem& p, const MatmulOperands& o, MmaTileSize tile) {
  if (tile == MmaTileSize::kLarge) return start<T, LargeMmaTile>(queue, p, o);
  start<T, SmallMmaTile>(queue, p, o);
}

}  // namespace

bool mma_matmul_takes(const MatmulProblem& p, MmaTileSize tile) {
  const bool type = p.dtype == DType::kFloat16 || p.dtype == DType::kBfloat16 ||
                    (p.dtype == DType::kFloat32 && p.tensor_float32 != 0);
  const int64_t blocks = tile == MmaTileSize::kLarge ? tile_count<LargeMmaTile>(p.m, p.n, p.batch)
                                                     : tile_count<SmallMmaTile>(p.m, p.n, p.batch);
  return type && blocks <= kMostTiles;
}

void mma_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, MmaTileSize tile) {
  switch (problem.dtype) {
    case DType::kFloat32: return start<float>(queue, problem, operands, tile);
    case DType::kFloat16: return start<half>(queue, problem, operands, tile);
    case DType::kBfloat16: return start<bfloat16>(queue, problem, operands, tile);
    default: throw Error("ERR_INTERNAL", "mma_matmul: dtype: expected float32, float16 or bfloat16");
  }
}

}  // namespace selfnorm::SN_BUILD
