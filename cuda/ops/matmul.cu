// Matrix products: from shapes to one problem a library takes, or to the plain kernel where it takes none.
//   "matmul" (a, b, bias?) -> (y, pre?): y = activation(a b + bias), pre = a b + bias where the gradient needs it.
// Parameters: transposeA, transposeB, activation (row of the table, -1: none), the activation's own.
#include "../kernels/matmul_plain.cuh"

#include <algorithm>

#include "broadcast_shape.h"
#include "converted.h"
#include "fused_activation.h"
#include "runtime/matmul.h"

namespace selfnorm::SN_BUILD {
namespace {

struct Matmul {
  View a, b, bias, y;
  MatmulProblem problem;  // of one outermost batch
  Broadcast<2> batches;   // in matrices
};

View batch_axes(View view) {
  view.rank = std::max(view.rank - 2, 0);
  return view;
}

Matmul describe(const View& a, const View& b, const View& bias, const View& y, bool transpose_a, bool transpose_b) {
  Matmul matmul{a, b, bias, y, {}, {}};
  MatmulProblem& problem = matmul.problem;
  problem.dtype = a.dtype;
  problem.transpose_a = transpose_a;
  problem.transpose_b = transpose_b;
  problem.has_bias = bias.present();
  problem.m = y.dim(-2);
  problem.n = y.dim(-1);
  problem.k = a.dim(transpose_a ? -2 : -1);
  const View operands[2] = {batch_axes(a), batch_axes(b)};
  matmul.batches = broadcast_shape(batch_axes(y), operands);
  Broadcast<2>& batches = matmul.batches;
  if (batches.axes == 1 && batches.strides[0][0] == 1 && batches.strides[1][0] == 0 && !transpose_a) {
    // One b for all of a's rows: a single taller product.
    problem.m *= batches.sizes[0];
    batches.sizes[0] = 1;
    batches.strides[0][0] = 0;
  }
  const int inner = batches.axes - 1;
  problem.batch = batches.sizes[inner];
  problem.stride_a = batches.strides[0][inner] * problem.m * problem.k;
  problem.stride_b = batches.strides[1][inner] * problem.k * problem.n;
  return matmul;
}

void run_plain(Queue& queue, const Matmul& matmul) {
  const MatmulProblem& problem = matmul.problem;
  const MatmulLayout layout{problem.m,
                            problem.n,
                            problem.k,
                            problem.transpose_a ? 1 : problem.k,
                            problem.transpose_a ? problem.m : 1,
                            problem.transpose_b ? 1 : problem.n,
                            problem.transpose_b ? problem.k : 1};
  const int64_t batch = matmul.y.size() / (problem.m * problem.n);
  const int64_t count = matmul_plain_groups(layout, batch);
  const int64_t flops =
      2 * std::min<int64_t>(problem.m, kTileRows) * std::min<int64_t>(problem.n, kTileColumns) * problem.k;
  dispatch_number(problem.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(queue, groups(count, flops, kTileRows * kTileColumns), matmul_plain_kernel<T>, layout, matmul.batches, count,
           matmul.y.as<T>(), matmul.a.as<const T>(), matmul.b.as<const T>(), matmul.bias.as<const T>());
  });
}

void run_library(Queue& queue, const Matmul& matmul) {
  const MatmulProblem& problem = matmul.problem;
  // The library takes the innermost batch axis; outer ones that do not merge with it are walked here.
  const int64_t count = matmul.y.size() / (problem.batch * problem.m * problem.n);
  const int64_t width = size_of(problem.dtype);
  for (int64_t outer = 0; outer < count; ++outer) {
    const Offsets<2> matrices = offsets_of(matmul.batches, outer * problem.batch);
    library_matmul(queue, problem, matmul.a.as<char>() + matrices.at[0] * problem.m * problem.k * width,
                   matmul.b.as<char>() + matrices.at[1] * problem.k * problem.n * width, matmul.bias.data,
                   matmul.y.as<char>() + outer * problem.batch * problem.m * problem.n * width);
  }
}

// y = a b + bias; with the activation too where the library fuses it, which the answer says.
bool product(Queue& queue, Matmul matmul, int activation, std::span<const double> parameters) {
  const std::optional<DType> dtype = library_matmul_dtype(matmul.problem);
  if (matmul.problem.k == 0 || !dtype) {
    run_plain(queue, matmul);
    return false;
  }
  if (activation >= 0 && library_matmul_fuses(matmul.problem, op_table().activations[size_t(activation)], parameters)) {
    matmul.problem.activation = activation;
    std::copy(parameters.begin(), parameters.end(), matmul.problem.parameters);
  }
  const bool fused = matmul.problem.activation >= 0;
  if (*dtype == matmul.problem.dtype) {
    run_library(queue, matmul);
    return fused;
  }
  const Converted a(queue, matmul.a, *dtype), b(queue, matmul.b, *dtype), bias(queue, matmul.bias, *dtype);
  const Converted y(queue, matmul.y, *dtype);
  convert(queue, matmul.a, a.view());
  convert(queue, matmul.b, b.view());
  if (matmul.bias.present()) convert(queue, matmul.bias, bias.view());
  Matmul wide = matmul;
  wide.a = a.view();
  wide.b = b.view();
  if (matmul.bias.present()) wide.bias = bias.view();
  wide.y = y.view();
  wide.problem.dtype = *dtype;
  run_library(queue, wide);
  convert(queue, y.view(), matmul.y);
  return fused;
}

void matmul(const Call& call) {
  const View& y = call.outputs[0];
  if (y.size() == 0) return;
  const View bias = call.inputs.size() > 2 ? call.inputs[2] : View{};
  const bool keeps_pre = call.outputs.size() > 1;
  const View& to = keeps_pre ? call.outputs[1] : y;
  const int activation = call.params.size() > 2 ? int(call.integer(2)) : -1;
  const std::span<const double> parameters = call.params.subspan(std::min<size_t>(3, call.params.size()));
  const Matmul matmul = describe(call.inputs[0], call.inputs[1], bias, to, call.params[0] != 0, call.params[1] != 0);
  const bool done = product(call.queue, matmul, keeps_pre ? -1 : activation, parameters);
  if (activation >= 0 && !done) apply_activation(call.queue, activation, parameters, to, y);
}

}  // namespace

void add_matmul_ops(OpTable& table) { table.add({{"matmul", matmul}}); }

}  // namespace selfnorm::SN_BUILD
