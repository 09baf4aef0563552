// gather, its transpose scatterAdd, gathers that scale or add up what they pick, and oneHot.
#include "../kernels/gather.cuh"

#include "../kernels/gather_rescaled.cuh"
#include "../kernels/gather_sum.cuh"
#include "map.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// `whole` is the tensor that is picked from: the input of gather, the output of scatterAdd. Params: [axis, batch axes].
GatherShape gather_shape(const Call& call, const View& whole, const View& indices) {
  const int axis = int(call.integer(0)), batch_axes = int(call.integer(1));
  GatherShape shape{1, 1, 1, 1, 1, 1};
  for (int i = 0; i < whole.rank; ++i) {
    (i < batch_axes ? shape.batch : i < axis ? shape.outer : i == axis ? shape.length : shape.inner) *= whole.dims[i];
  }
  for (int i = batch_axes; i < indices.rank; ++i) shape.picks *= indices.dims[i];
  return shape;
}

// What an index outside the axis reads: NaN, so that the mistake shows; 0 where there is no NaN.
template <class T>
T outside_value() {
  if constexpr (std::is_integral_v<Accumulate<T>>) {
    return store<T>(0);
  } else {
    return store<T>(std::numeric_limits<Accumulate<T>>::quiet_NaN());
  }
}

template <class Stored, class T>
void launch_gather(const Call& call, const GatherShape& shape) {
  const View& y = call.outputs[0];
  launch(call.queue, elements(y.size(), 1), gather_kernel<T>, y.size(), shape, bit_copy<T>(outside_value<Stored>()),
         y.as<T>(), call.inputs[0].as<const T>(), call.inputs[1].as<const int32_t>());
}

void gather(const Call& call) {
  const GatherShape shape = gather_shape(call, call.inputs[0], call.inputs[1]);
  dispatch_any(call.inputs[0].dtype, [&](auto tag) {
    using Stored = typename decltype(tag)::type;
    if constexpr (sizeof(Stored) == 8) launch_gather<Stored, uint64_t>(call, shape);
    if constexpr (sizeof(Stored) == 4) launch_gather<Stored, uint32_t>(call, shape);
    if constexpr (sizeof(Stored) == 2) launch_gather<Stored, uint16_t>(call, shape);
    if constexpr (sizeof(Stored) == 1) launch_gather<Stored, uint8_t>(call, shape);
  });
}

template <class Out, class In>
void launch_gather_rescaled(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  const int64_t n = y.size();
  if (n == 0) return;
  const Rows rows{x.dims[0], n / call.inputs[1].size()};
  constexpr int kWidth = kPackWidth<Out, In>;
  const bool packed = kWidth > 1 && rows.inner % kWidth == 0 && aligned_to_pack(x.data) && aligned_to_pack(y.data);
  const Grid grid = packed ? elements(n, 1, 2 * kWidth) : elements(n, 1);
  launch(call.queue, grid, gather_rescaled_kernel<kWidth, Out, In>, n, packed ? n / kWidth : 0, rows,
         Rescale{call.params[0], call.params[1]}, outside_value<Out>(), y.as<Out>(), x.as<const In>(),
         call.inputs[1].as<const int32_t>());
}

template <class Out>
void gather_rescaled_to(const Call& call) {
  switch (const DType dtype = call.inputs[0].dtype) {
    // A bool is a byte that is 0 or 1.
    case DType::kUint8:
    case DType::kBool: return launch_gather_rescaled<Out, uint8_t>(call);
    case DType::kInt32: return launch_gather_rescaled<Out, int32_t>(call);
    case DType::kFloat32: return launch_gather_rescaled<Out, float>(call);
    default: refuse_dtype(dtype, "uint8, bool, int32 or float32");
  }
}

// Rows of x at the indices, as gather's of axis 0. Params: [scale, offset].
void gather_rescaled(const Call& call) {
  switch (const DType dtype = call.outputs[0].dtype) {
    case DType::kFloat32: return gather_rescaled_to<float>(call);
    case DType::kFloat16: return gather_rescaled_to<half>(call);
    case DType::kBfloat16: return gather_rescaled_to<bfloat16>(call);
    default: refuse_dtype(dtype, "float32, float16 or bfloat16");
  }
}

// (table [rows, inner], indices [..., picks]) -> sums of rows [..., inner].
void gather_sum(const Call& call) {
  const View &table = call.inputs[0], &indices = call.inputs[1], &y = call.outputs[0];
  const int64_t n = y.size(), picks = indices.dim(-1);
  if (n == 0) return;
  dispatch_float(table.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kWidth = kPackWidth<T>;
    const Bags bags{table.dims[0], table.dims[1], picks};
    const auto start = [&](const Grid& grid, auto kernel) {
      launch(call.queue, grid, kernel, n, bags, y.as<T>(), table.as<const T>(), indices.as<const int32_t>());
    };
    if (kWidth > 1 && bags.inner % kWidth == 0 && aligned_to_pack(table.data) && aligned_to_pack(y.data)) {
      start(elements(n, picks, kWidth), gather_sum_kernel<kWidth, T>);
    } else {
      start(elements(n, picks), gather_sum_kernel<1, T>);
    }
  });
}

// float32 and float64 only: sums of the half types are made in float32 by TypeScript. A third parameter: how many
// neighbouring indices share an update.
template <class T>
void launch_scatter_add(const Call& call) {
  const View &updates = call.inputs[0], &indices = call.inputs[1], &y = call.outputs[0];
  GatherShape shape = gather_shape(call, y, indices);
  if (call.params.size() > 2) shape.shared = call.integer(2);
  const int64_t planes = shape.batch * shape.outer;
  if constexpr (kManyThreads) {
    const int64_t blocks = planes * ((shape.length + kScatterRows - 1) / kScatterRows);
    launch(call.queue, groups(y.size() == 0 ? 0 : blocks, 1, kMaxBlock), scatter_add_blocks_kernel<T>, blocks, shape,
           y.as<T>(), updates.as<const T>(), indices.as<const int32_t>());
  } else {
    const int64_t rows = y.size() == 0 ? 0 : planes * shape.length;
    const int64_t work = y.size() + updates.size() * shape.shared;
    launch(call.queue, groups(rows, rows == 0 ? 0 : (work + rows - 1) / rows), scatter_add_rows_kernel<T>, rows, shape,
           y.as<T>(), updates.as<const T>(), indices.as<const int32_t>());
  }
}

void scatter_add(const Call& call) {
  switch (call.outputs[0].dtype) {
    case DType::kFloat32: return launch_scatter_add<float>(call);
    case DType::kFloat64: return launch_scatter_add<double>(call);
    default: refuse_dtype(call.outputs[0].dtype, "float32 or float64");
  }
}

// Params: [on value, off value].
void one_hot(const Call& call) {
  const View &indices = call.inputs[0], &y = call.outputs[0];
  dispatch_any(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(call.queue, elements(y.size(), 1), one_hot_kernel<T>, y.size(), y.dim(-1), store<T>(call.params[0]),
           store<T>(call.params[1]), y.as<T>(), indices.as<const int32_t>());
  });
}

}  // namespace

void add_gather_ops(OpTable& table) {
  table.add({
      {"gather", gather},
      {"gatherRescaled", gather_rescaled},
      {"gatherSum", gather_sum},
      {"scatterAdd", scatter_add},
      {"oneHot", one_hot},
  });
}

}  // namespace selfnorm::SN_BUILD
