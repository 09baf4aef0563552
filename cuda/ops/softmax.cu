// Softmax, log-softmax, softmax with cross-entropy, and the ranks of classes, along the last axis.
#include "../kernels/softmax.cuh"

#include "dispatch.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

constexpr int kExponential = 16;

// Rows of length op.width; `cost` in flops an element.
template <class RowOp>
void launch_rows(Queue& queue, int64_t rows, int64_t cost, RowOp op) {
  if (op.width <= kShortRow) {
    launch(queue, elements(rows, op.width * cost), short_rows_kernel<RowOp>, rows, op);
  } else {
    launch(queue, groups(rows, op.width * cost, op.width), long_rows_kernel<RowOp>, rows, op);
  }
}

int64_t rows_of(const View& x) { return x.dim(-1) == 0 ? 0 : x.size() / x.dim(-1); }

// x -> y
template <bool kLog>
void softmax_forward(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_rows(call.queue, rows_of(x), 2 * kExponential, SoftmaxRows<T, kLog>{x.dim(-1), x.as<const T>(), y.as<T>()});
  });
}

// dy, y -> dx
template <bool kLog>
void softmax_backward(const Call& call) {
  const View &dy = call.inputs[0], &y = call.inputs[1], &dx = call.outputs[0];
  dispatch_float(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_rows(call.queue, rows_of(y), kLog ? kExponential : 4,
                SoftmaxBackwardRows<T, kLog>{y.dim(-1), dy.as<const T>(), y.as<const T>(), dx.as<T>()});
  });
}

template <class T, class Labels>
void launch_cross_entropy(const Call& call, const Labels& labels, bool ranked) {
  const View& logits = call.inputs[0];
  const size_t outputs = call.outputs.size() - size_t(ranked);
  T* const gradient = outputs > 1 ? call.outputs[1].as<T>() : nullptr;
  int32_t* const rank = ranked ? call.outputs[outputs].as<int32_t>() : nullptr;
  launch_rows(call.queue, rows_of(logits), 2 * kExponential,
              CrossEntropyRows<T, Labels>{logits.dim(-1), logits.as<const T>(), labels,
                                          call.outputs[0].as<Accumulate<T>>(), gradient, rank});
}

// logits, labels of their dtype and shape -> loss of each row, the logits' gradient if there is a place for it, and
// int32 ranks of the classes if they are asked for params: label smoothing, whether ranks are asked for
void softmax_cross_entropy(const Call& call) {
  const View &logits = call.inputs[0], &labels = call.inputs[1];
  const double smoothing = call.params[0];
  dispatch_float(logits.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using A = Accumulate<T>;
    launch_cross_entropy<T>(
        call, DenseLabels<T>{labels.as<const T>(), A(1 - smoothing), A(smoothing / double(logits.dim(-1)))},
        call.params[1] != 0);
  });
}

// logits, int32 labels of their shape without the last axis -> as above
// params: whether ranks are asked for
void sparse_softmax_cross_entropy(const Call& call) {
  const View &logits = call.inputs[0], &labels = call.inputs[1];
  dispatch_float(logits.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_cross_entropy<T>(call, SparseLabels<T>{labels.as<const int32_t>()}, call.params[0] != 0);
  });
}

// scores, labels of their dtype and shape, or int32 ones without the last axis -> int32 rank of each row's class
template <bool kSparse>
void class_ranks(const Call& call) {
  const View &scores = call.inputs[0], &labels = call.inputs[1];
  dispatch_float(scores.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto rank = [&](auto of) {
      launch_rows(
          call.queue, rows_of(scores), 2,
          ClassRankRows<T, decltype(of)>{scores.dim(-1), scores.as<const T>(), of, call.outputs[0].as<int32_t>()});
    };
    if constexpr (kSparse) {
      rank(SparseLabels<T>{labels.as<const int32_t>()});
    } else {
      rank(DenseLabels<T>{labels.as<const T>(), 1, 0});
    }
  });
}

// x, a factor for each row (in the type x computes in) -> y
void scale_rows(const Call& call) {
  const View &x = call.inputs[0], &factors = call.inputs[1], &y = call.outputs[0];
  dispatch_float(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_rows(call.queue, rows_of(x), 1,
                ScaleRows<T>{x.dim(-1), x.as<const T>(), factors.as<const Accumulate<T>>(), y.as<T>()});
  });
}

}  // namespace

void add_softmax_ops(OpTable& table) {
  table.add({
      {"softmax", softmax_forward<false>},
      {"softmax/backward", softmax_backward<false>},
      {"logSoftmax", softmax_forward<true>},
      {"logSoftmax/backward", softmax_backward<true>},
      {"softmaxCrossEntropy", softmax_cross_entropy},
      {"sparseSoftmaxCrossEntropy", sparse_softmax_cross_entropy},
      {"classRanks", class_ranks<false>},
      {"sparseClassRanks", class_ranks<true>},
      {"scaleRows", scale_rows},
  });
}

}  // namespace selfnorm::SN_BUILD
