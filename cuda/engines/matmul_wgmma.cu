#include "matmul_wgmma.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "../kernels/matmul_wgmma.cuh"
#include "matmul_arguments.h"
#include "runtime/launch.h"

namespace selfnorm::SN_BUILD {
namespace {

// cuTensorMapEncodeTiled through the CUDA runtime: nothing links to the driver.
auto encode_function() {
  static const auto function = [] {
    void* address = nullptr;
    cudaDriverEntryPointQueryResult found{};
#if CUDART_VERSION >= 12050
    constexpr int kSince = 12000;
    check_cuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &address, kSince, cudaEnableDefault, &found),
               "cudaGetDriverEntryPointByVersion");
#else
    check_cuda(cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &address, cudaEnableDefault, &found),
               "cudaGetDriverEntryPoint");
#endif
    if (found != cudaDriverEntryPointSuccess) throw Error("ERR_CUDA", "cuTensorMapEncodeTiled: not in this driver");
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(address);
  }();
  return function;
}

// An operand as TMA sees it: batches of rows, in boxes of 64 elements by `lines` rows.
struct MapKey {
  uint64_t data, columns, rows, batch, stride;
  uint32_t lines;
  DType dtype;
};

CUtensorMap encode(const MapKey& key) {
  constexpr uint64_t kWidth = 2;
  CUtensorMap map;
  const uint64_t sizes[] = {key.columns, key.rows, key.batch};
  const uint64_t strides[] = {key.columns * kWidth, key.stride * kWidth};
  const uint32_t box[] = {64, key.lines, 1}, steps[] = {1, 1, 1};
  const auto type = key.dtype == DType::kFloat16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  const CUresult result = encode_function()(&map, type, 3, reinterpret_cast<void*>(key.data), sizes, strides, box,
                                            steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                            CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS) {
    throw Error("ERR_CUDA", "cuTensorMapEncodeTiled: error " + std::to_string(int(result)));
  }
  return map;
}

// Encoding takes longer than looking up; a training step meets the same operands again.
const CUtensorMap& map_of(const MapKey& key) {
  constexpr size_t kMostMaps = 4096;
  thread_local std::unordered_map<MapKey, CUtensorMap, ProblemHash<MapKey>, ProblemEqual<MapKey>> maps;
  const auto found = maps.find(key);
  if (found != maps.end()) return found->second;
  if (maps.size() >= kMostMaps) maps.clear();
  return maps.emplace(key, encode(key)).first->second;
}

// Extent: rows of a or columns of b in a tile.
template <bool DepthInner, int Extent>
CUtensorMap operand_map(const MatmulProblem& p, const void* data, int64_t extent, int64_t stride) {
  const bool shared = stride == 0;
  const int64_t columns = DepthInner ? p.k : extent, rows = DepthInner ? extent : p.k;
  return map_of({uint64_t(reinterpret_cast<uintptr_t>(data)), uint64_t(columns), uint64_t(rows),
                 uint64_t(shared ? 1 : p.batch), uint64_t(shared ? columns * rows : stride),
                 uint32_t(box_lines<DepthInner>(Extent)), p.dtype});
}

template <class T, class Tile>
void start(Queue& queue, const MatmulProblem& p, const MatmulOperands& o) {
  const auto run = [&](auto transpose_a, auto transpose_b, auto epilogue) {
    constexpr bool kTransposeA = decltype(transpose_a)::value, kTransposeB = decltype(transpose_b)::value;
    const CUtensorMap a = operand_map<!kTransposeA, Tile::kRows>(p, o.a, p.m, p.stride_a);
    const CUtensorMap b = operand_map<kTransposeB, Tile::kColumns>(p, o.b, p.n, p.stride_b);
    const WgmmaProblem problem{int(p.m), int(p.n), int(p.k), int(p.batch), p.stride_a == 0, p.stride_b == 0};
    const int64_t blocks = std::min<int64_t>(tile_count<Tile>(p.m, p.n, p.batch), queue.multiprocessors());
    launch(queue, TileGrid{blocks, Tile::kThreads, Tile::kBytes},
           matmul_wgmma_kernel<kTransposeA, kTransposeB, Tile, decltype(epilogue)>, a, b, problem, epilogue);
  };
  with_epilogue<T>(queue, p, o, tiles_down<Tile>(p.m) * Tile::kMultipliers * p.batch, run);
}

template <class T>
void start(Queue& queue, const MatmulProblem& p, const MatmulOperands& o, WgmmaTileSize tile) {
  if (tile == WgmmaTileSize::k256) return start<T, BroadWgmmaTile>(queue, p, o);
  start<T, SquareWgmmaTile>(queue, p, o);
}

bool is_hopper(int device) {
  thread_local std::unordered_map<int, bool> known;
  const auto found = known.find(device);
  if (found != known.end()) return found->second;
  int major = 0, minor = 0;
  check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute");
  check_cuda(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "cudaDeviceGetAttribute");
  return known.emplace(device, major == 9 && minor == 0).first->second;
}

}  // namespace

bool wgmma_matmul_takes(Queue& queue, const MatmulProblem& p, const MatmulOperands& o) {
  if ((p.dtype != DType::kFloat16 && p.dtype != DType::kBfloat16) || !compiled_form(p)) return false;
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  // Coordinates are 32 bits, a box past the end included.
  const bool fits = std::max({p.m, p.n, p.k}) < kMost - 256 && p.batch < kMost;
  return fits && wide_rows<half>(o.a, p.transpose_a ? p.m : p.k, p.stride_a) &&
         wide_rows<half>(o.b, p.transpose_b ? p.k : p.n, p.stride_b) && is_hopper(queue.device());
}

void wgmma_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, WgmmaTileSize tile) {
  if (problem.dtype == DType::kFloat16) return start<half>(queue, problem, operands, tile);
  start<bfloat16>(queue, problem, operands, tile);
}

}  // namespace selfnorm::SN_BUILD
