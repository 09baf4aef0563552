// Matrix products of a backward pass, with what belongs to them in the same pass where a library or a kernel of ours
// has that, and in passes of their own where none has.
//   "matmul/derivative" (a, b, saved?, stamp?) -> (dz, sums?): dz = dropout'(a b) activation'(saved), the gradient by a
//   layer's input handed through the layer that made it; sums: of dz's columns, that layer's bias gradient.
//   "matmul/added" (a, b) -> (y), over y: y += a b, a gradient that joins others.
//   "matmul/sums" (a, b) -> (y, sums): y = a b and the sums of b's columns, gradients of weights and bias.
// Parameters: transposeA, transposeB; "matmul/derivative": activation and dropout as "matmul" takes them.
#include <vector>

#include "fused_activation.h"
#include "matmul_call.h"
#include "runtime/matmul.h"

namespace selfnorm::SN_BUILD {
namespace {

Matmul product_of(const Call& call, MatmulForm form) {
  Matmul matmul{};
  matmul.a = call.inputs[0];
  matmul.b = call.inputs[1];
  matmul.y = call.outputs[0];
  matmul.problem.form = form;
  return matmul;
}

// Whether the problem is one product of its own dtype that the library is asked for.
bool is_one_product(const Matmul& matmul) {
  const MatmulProblem& problem = matmul.problem;
  return problem.k > 0 && problem.size() > 0 && matmul.whole().batch == 1 &&
         library_matmul_dtype(problem) == problem.dtype;
}

// a b into y, and nothing else.
void multiply(Queue& queue, const Matmul& matmul) {
  if (matmul.y.size() == 0) return;
  Matmul plain = matmul;
  plain.stamp = View{};
  plain.problem.form = MatmulForm::kForward;
  plain.problem.activation = -1;
  plain.problem.has_dropout = plain.problem.has_sums = 0;
  compute_matmul(queue, plain);
}

// The form by the library; where it has none of it, its plain product.
void run(Queue& queue, const Matmul& matmul) {
  MatmulStage stage = MatmulStage::kProduct;
  if (is_one_product(matmul)) {
    stage = library_matmul(queue, matmul.problem, matmul.operands());
  } else {
    multiply(queue, matmul);
  }
  finish_matmul(queue, matmul.whole(), matmul.operands(), stage);
}

void derivative(const Call& call) {
  Matmul matmul = product_of(call, MatmulForm::kDerivative);
  if (call.inputs.size() > 2) matmul.saved = call.inputs[2];
  if (call.inputs.size() > 3) matmul.stamp = call.inputs[3];
  if (call.outputs.size() > 1) matmul.sums = call.outputs[1];
  matmul.problem.has_sums = matmul.sums.present();
  read_activation(call, matmul);
  describe(matmul, call.params[0] != 0, call.params[1] != 0);
  run(call.queue, matmul);
}

void added(const Call& call) {
  Matmul matmul = product_of(call, MatmulForm::kAdded);
  if (matmul.y.size() == 0) return;
  describe(matmul, call.params[0] != 0, call.params[1] != 0);
  if (is_one_product(matmul)) {
    library_matmul(call.queue, matmul.problem, matmul.operands());
    return;
  }
  static const OpFunction add = op_named("add");
  const View y = matmul.y;
  const Scratch product(call.queue, size_t(y.size() * size_of(y.dtype)));
  matmul.y.data = product.as<void>();
  multiply(call.queue, matmul);
  const View terms[] = {y, matmul.y};
  add({call.queue, terms, {&y, 1}, {}});
}

void sums(const Call& call) {
  Matmul matmul = product_of(call, MatmulForm::kSumsRight);
  matmul.sums = call.outputs[1];
  matmul.problem.has_sums = 1;
  describe(matmul, call.params[0] != 0, call.params[1] != 0);
  run(call.queue, matmul);
}

View matrix(const MatmulProblem& problem, const void* data, int64_t rows, int64_t columns) {
  View view;
  view.data = const_cast<void*>(data);
  view.dtype = problem.dtype;
  view.rank = 2;
  view.dims[0] = rows;
  view.dims[1] = columns;
  return view;
}

}  // namespace

void add_up_columns(Queue& queue, const View& x, const View& sums) {
  static const OpFunction sum = op_named("sum");
  std::vector<double> axes;
  for (int axis = 0; axis + 1 < x.rank; ++axis) axes.push_back(axis);
  sum({queue, {&x, 1}, {&sums, 1}, axes});
}

void finish_matmul_gradient(Queue& queue, const MatmulProblem& p, const MatmulOperands& operands, MatmulStage done) {
  if (done == MatmulStage::kDropped || p.form == MatmulForm::kAdded) return;
  View sums = operands.sums == nullptr ? View{} : matrix(p, operands.sums, 1, p.n);
  sums.rank = 1;
  sums.dims[0] = p.n;
  if (p.form == MatmulForm::kSumsRight) {
    const bool transposed = p.transpose_b != 0;
    const View b = matrix(p, operands.b, transposed ? p.n : p.k, transposed ? p.k : p.n);
    if (!transposed) return add_up_columns(queue, b, sums);
    static const OpFunction sum = op_named("sum");
    const double last = 1;
    return sum({queue, {&b, 1}, {&sums, 1}, {&last, 1}});
  }
  const View y = matrix(p, operands.y, p.batch * p.m, p.n);
  if (done == MatmulStage::kActivated) return sums.present() ? add_up_columns(queue, y, sums) : void();
  if (operands.stamp != nullptr) apply_dropout(queue, operands.mask, y, stamp_of(operands), y);
  if (p.activation > 0) {
    const View saved = matrix(p, operands.saved, p.batch * p.m, p.n);
    apply_derivative(queue, p.activation, p.parameters, y, saved, y, sums);
  } else if (sums.present()) {
    add_up_columns(queue, y, sums);
  }
}

void add_matmul_gradient_ops(OpTable& table) {
  table.add({{"matmul/derivative", derivative}, {"matmul/added", added}, {"matmul/sums", sums}});
}

}  // namespace selfnorm::SN_BUILD
