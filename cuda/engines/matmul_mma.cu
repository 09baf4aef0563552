#include "matmul_mma.h"

#include "../kernels/matmul_mma.cuh"
#include "matmul_arguments.h"
#include "runtime/launch.h"

namespace selfnorm::SN_BUILD {
namespace {

template <class T, class Tile>
void start(Queue& queue, const MatmulProblem& p, const MatmulOperands& o) {
  const auto run = [&](auto transpose_a, auto transpose_b, auto epilogue) {
    constexpr bool kTransposeA = decltype(transpose_a)::value, kTransposeB = decltype(transpose_b)::value;
    const MmaProblem<T> problem{static_cast<const T*>(o.a),
                                static_cast<const T*>(o.b),
                                p.m,
                                p.n,
                                p.k,
                                p.stride_a,
                                p.stride_b,
                                wide_rows<T>(o.a, kTransposeA ? p.m : p.k, p.stride_a),
                                wide_rows<T>(o.b, kTransposeB ? p.k : p.n, p.stride_b)};
    launch(queue, TileGrid{tile_count<Tile>(p.m, p.n, p.batch), Tile::kThreads, Tile::kBytes},
           matmul_mma_kernel<kTransposeA, kTransposeB, Tile, decltype(epilogue)>, problem, epilogue);
  };
  with_epilogue<T>(queue, p, o, tiles_down<Tile>(p.m) * p.batch, run);
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
  return type && compiled_form(p) && blocks <= kMostTiles;
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
