// Matrix products: from shapes to one problem a library takes, or to the plain kernel where it takes none.
//   "matmul" (a, b, bias?, stamp?) -> (y, kept?): y = dropout(activation(a b + bias)). kept is what the gradient needs
//   beside y: a b + bias; with dropout behind an activation whose derivative takes its output, that output.
// Parameters: transposeA, transposeB, activation (row of the table, -1: none), the activation's own; with a stamp the
// dropout's, as the op "dropout" takes them.
#include "../kernels/matmul_plain.cuh"

#include <algorithm>

#include "converted.h"
#include "fused_activation.h"
#include "matmul_call.h"
#include "runtime/matmul.h"

namespace selfnorm::SN_BUILD {
namespace {

View batch_axes(View view) {
  view.rank = std::max(view.rank - 2, 0);
  return view;
}

}  // namespace

void describe(Matmul& matmul, bool transpose_a, bool transpose_b) {
  const View &a = matmul.a, &b = matmul.b, &y = matmul.y;
  MatmulProblem& problem = matmul.problem;
  problem.dtype = a.dtype;
  problem.transpose_a = transpose_a;
  problem.transpose_b = transpose_b;
  problem.has_bias = matmul.bias.present();
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
}

void read_activation(const Call& call, Matmul& matmul) {
  MatmulProblem& problem = matmul.problem;
  problem.activation = call.params.size() > 2 ? int(call.integer(2)) : -1;
  const ActivationFacts facts =
      problem.activation < 0 ? ActivationFacts{} : op_table().activations.at(size_t(problem.activation));
  for (int i = 0; i < facts.parameter_count; ++i) problem.parameters[i] = call.params[size_t(3 + i)];
  if (!matmul.stamp.present()) return;
  const size_t first = size_t(3 + facts.parameter_count);
  problem.has_dropout = 1;
  matmul.mask = {int32_t(call.integer(first)), call.params[first + 1], call.params[first + 2], call.params[first + 3]};
}

namespace {

void run_plain(Queue& queue, const Matmul& matmul) {
  const MatmulProblem& problem = matmul.problem;
  const MatmulLayout layout{problem.m,
                            problem.n,
                            problem.k,
                            problem.transpose_a ? 1 : problem.k,
                            problem.transpose_a ? problem.m : 1,
                            problem.transpose_b ? 1 : problem.n,
                            problem.transpose_b ? problem.k : 1};
  const int64_t count = matmul_plain_groups(layout, matmul.whole().batch);
  void* const product = matmul.operands().product();
  const int64_t flops =
      2 * std::min<int64_t>(problem.m, kTileRows) * std::min<int64_t>(problem.n, kTileColumns) * problem.k;
  dispatch_number(problem.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(queue, groups(count, flops, kTileRows * kTileColumns), matmul_plain_kernel<T>, layout, matmul.batches, count,
           static_cast<T*>(product), matmul.a.as<const T>(), matmul.b.as<const T>(), matmul.bias.as<const T>());
  });
}

// How far the library went for all of y.
MatmulStage run_library(Queue& queue, const Matmul& matmul) {
  const MatmulProblem& problem = matmul.problem;
  const MatmulOperands operands = matmul.operands();
  // The library takes the innermost batch axis; outer ones that do not merge with it are walked here.
  const int64_t count = matmul.whole().batch / problem.batch;
  if (count == 1) return library_matmul(queue, problem, operands);
  const int64_t width = size_of(problem.dtype);
  MatmulProblem part = problem;
  // Draws are counted from the first element of y.
  part.has_dropout = 0;
  const auto at = [&](const void* data, int64_t elements) {
    return data == nullptr ? nullptr : const_cast<char*>(static_cast<const char*>(data)) + elements * width;
  };
  for (int64_t outer = 0; outer < count; ++outer) {
    const Offsets<2> matrices = offsets_of(matmul.batches, outer * problem.batch);
    const int64_t element = outer * problem.size();
    const MatmulOperands here{at(operands.a, matrices.at[0] * problem.m * problem.k),
                              at(operands.b, matrices.at[1] * problem.k * problem.n), operands.bias,
                              at(operands.y, element), at(operands.kept, element)};
    finish_matmul(queue, part, here, library_matmul(queue, part, here));
  }
  return MatmulStage::kActivated;
}

// The same by way of another dtype, in which nothing is kept.
MatmulStage run_library_in(Queue& queue, const Matmul& matmul, DType dtype) {
  const Converted a(queue, matmul.a, dtype), b(queue, matmul.b, dtype), bias(queue, matmul.bias, dtype);
  const Converted y(queue, matmul.y, dtype);
  convert(queue, matmul.a, a.view());
  convert(queue, matmul.b, b.view());
  if (matmul.bias.present()) convert(queue, matmul.bias, bias.view());
  Matmul wide = matmul;
  wide.a = a.view();
  wide.b = b.view();
  if (matmul.bias.present()) wide.bias = bias.view();
  wide.y = y.view();
  wide.kept = wide.stamp = View{};
  wide.problem.dtype = dtype;
  wide.problem.keeps = Keeps::kNothing;
  wide.problem.has_dropout = 0;
  if (matmul.kept.present()) wide.problem.activation = -1;
  const MatmulStage stage = run_library(queue, wide);
  convert(queue, y.view(), matmul.kept.present() ? matmul.kept : matmul.y);
  return stage;
}

}  // namespace

MatmulStage compute_matmul(Queue& queue, const Matmul& matmul) {
  const std::optional<DType> dtype = library_matmul_dtype(matmul.problem);
  if (matmul.problem.k == 0 || !dtype) {
    run_plain(queue, matmul);
    return MatmulStage::kProduct;
  }
  return *dtype == matmul.problem.dtype ? run_library(queue, matmul) : run_library_in(queue, matmul, *dtype);
}

namespace {

void matmul(const Call& call) {
  Matmul matmul{};
  matmul.a = call.inputs[0];
  matmul.b = call.inputs[1];
  if (call.inputs.size() > 2) matmul.bias = call.inputs[2];
  if (call.inputs.size() > 3) matmul.stamp = call.inputs[3];
  matmul.y = call.outputs[0];
  if (call.outputs.size() > 1) matmul.kept = call.outputs[1];
  if (matmul.y.size() == 0) return;
  read_activation(call, matmul);
  const MatmulProblem& problem = matmul.problem;
  if (matmul.kept.present()) {
    const bool none = problem.activation < 0;
    const bool output =
        problem.has_dropout && (none || op_table().activations[size_t(problem.activation)].saves == Saves::kOutput);
    matmul.problem.keeps = output ? Keeps::kActivated : Keeps::kPreActivation;
  }
  describe(matmul, call.params[0] != 0, call.params[1] != 0);
  const MatmulStage stage = compute_matmul(call.queue, matmul);
  finish_matmul(call.queue, matmul.whole(), matmul.operands(), stage);
}

}  // namespace

View flat(const MatmulProblem& problem, void* data) {
  View view;
  view.data = data;
  view.dtype = problem.dtype;
  view.rank = 1;
  view.dims[0] = problem.size();
  return view;
}

View stamp_of(const MatmulOperands& operands) {
  View stamp;
  stamp.data = const_cast<void*>(operands.stamp);
  stamp.dtype = DType::kInt32;
  stamp.rank = 1;
  stamp.dims[0] = 4;
  return stamp;
}

void finish_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, MatmulStage done) {
  if (problem.form != MatmulForm::kForward) return finish_matmul_gradient(queue, problem, operands, done);
  const View product = flat(problem, operands.product()), y = flat(problem, operands.y);
  const View active = operands.kept != nullptr && problem.keeps == Keeps::kActivated ? product : y;
  if (done == MatmulStage::kProduct && (problem.activation >= 0 || active.data != product.data)) {
    constexpr int kLinear = 0;  // the first row of the table
    apply_activation(queue, std::max(problem.activation, kLinear), problem.parameters, product, active);
  }
  if (done == MatmulStage::kDropped || operands.stamp == nullptr) return;
  apply_dropout(queue, operands.mask, active, stamp_of(operands), y);
}

void add_matmul_ops(OpTable& table) { table.add({{"matmul", matmul}}); }

}  // namespace selfnorm::SN_BUILD
