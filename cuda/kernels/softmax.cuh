// Softmax, log-softmax and their gradients along rows, and softmax with cross-entropy in one pass: loss and gradient of
// a row together, and its class's rank where a metric wants it. Two ways to share rows out: short ones several to a CPU
// thread, one in each SIMD lane (on the GPU one a thread), long ones a block each. The largest value is subtracted
// first, so nothing overflows.
#pragma once

#include "class_rank.cuh"
#include "math.h"
#include "reduce.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

// Rows of at most this many values are short.
inline constexpr int64_t kShortRow = 64;
inline constexpr int kRowsAtOnce = kManyThreads ? 1 : 16;

// An op on rows has short_rows<Rows>(first): Rows whole rows by one thread, and long_row(row): one row by the block.
template <class RowOp>
__global__ void short_rows_kernel(int64_t rows, RowOp op) {
  const Range range = grid_range(rows);
  int64_t row = range.begin;
  if constexpr (kRowsAtOnce > 1) {
    for (; row + kRowsAtOnce <= range.end; row += kRowsAtOnce) op.template short_rows<kRowsAtOnce>(row);
  }
  for (; row < range.end; row += range.step) op.template short_rows<1>(row);
}

template <class RowOp>
__global__ void long_rows_kernel(int64_t rows, RowOp op) {
  const Range range = group_range(rows);
  for (int64_t row = range.begin; row < range.end; row += range.step) op.long_row(row);
}

// ---- Parts of a row ----

// NaN is passed over here: it comes back with the exponential, which makes the whole row NaN.
struct Larger {
  template <class A>
  SN_HD A operator()(A a, A b) const {
    return b > a ? b : a;
  }
};

template <int Rows, class T>
SN_DEVICE void short_rows_max(int64_t width, const T* x, Accumulate<T> (&largest)[Rows]) {
  using A = Accumulate<T>;
  for (int lane = 0; lane < Rows; ++lane) largest[lane] = -math::kInfinity<A>;
  for (int64_t i = 0; i < width; ++i) {
    SN_INDEPENDENT
    for (int lane = 0; lane < Rows; ++lane) largest[lane] = Larger{}(largest[lane], load(x[lane * width + i]));
  }
}

template <class T>
SN_DEVICE Accumulate<T> long_row_max(int64_t width, const T* x) {
  using A = Accumulate<T>;
  constexpr int kLanes = kManyThreads ? 1 : 32;
  A largest[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) largest[lane] = -math::kInfinity<A>;
  const Range range = block_range(width);
  int64_t i = range.begin;
  if constexpr (!kManyThreads) {
    for (; i + kLanes <= range.end; i += kLanes) {
      SN_INDEPENDENT
      for (int lane = 0; lane < kLanes; ++lane) largest[lane] = Larger{}(largest[lane], load(x[i + lane]));
    }
  }
  for (; i < range.end; i += range.step) largest[0] = Larger{}(largest[0], load(x[i]));
  for (int lane = 1; lane < kLanes; ++lane) largest[0] = Larger{}(largest[0], largest[lane]);
  return block_reduce(largest[0], Larger{});
}

// The sum of term(i) over a thread's share, in steps: rounding errors grow with the length of a step and not of the
// row.
template <class A, class Term>
SN_DEVICE A sum_in_steps(const Range& range, const Term& term) {
  constexpr int64_t kStep = 2048;
  A total = 0;
  for (int64_t begin = range.begin; begin < range.end; begin += kStep * range.step) {
    const int64_t stop = begin + kStep * range.step, end = stop < range.end ? stop : range.end;
    A sum = 0;
    SN_SIMD_SUM(sum)
    for (int64_t i = begin; i < end; i += range.step) sum += term(i);
    total += sum;
  }
  return total;
}

// Exponentials are kept in the output between two passes where it can hold them and the exponential costs more than the
// memory: on the CPU. The GPU computes them again.
template <class T>
inline constexpr bool kKeepsExponentials = !kManyThreads && std::is_same_v<T, Accumulate<T>>;

// The block's sum of exp(x - largest) over a row; written to `kept` where that pays.
template <class T>
SN_DEVICE Accumulate<T> long_row_sum(int64_t width, const T* x, Accumulate<T> largest, T* kept) {
  using A = Accumulate<T>;
  const Range range = block_range(width);
  if constexpr (kKeepsExponentials<T>) {
    if (kept) return sum_in_steps<A>(range, [=](int64_t i) { return kept[i] = math::exp(x[i] - largest); });
  }
  return block_sum(sum_in_steps<A>(range, [=](int64_t i) { return math::exp(load(x[i]) - largest); }));
}

// ---- Softmax and log-softmax ----

template <class T, bool kLog>
struct SoftmaxRows {
  using A = Accumulate<T>;
  int64_t width;
  const T* x;
  T* y;

  template <int Rows>
  SN_DEVICE void short_rows(int64_t first) const {
    const T* const from = x + first * width;
    T* const to = y + first * width;
    A largest[Rows], sum[Rows], value[Rows];
    short_rows_max<Rows>(width, from, largest);
    for (int lane = 0; lane < Rows; ++lane) sum[lane] = 0;
    for (int64_t i = 0; i < width; ++i) {
      for (int lane = 0; lane < Rows; ++lane) value[lane] = load(from[lane * width + i]) - largest[lane];
      SN_INDEPENDENT
      for (int lane = 0; lane < Rows; ++lane) sum[lane] += math::exp(value[lane]);
    }
    for (int lane = 0; lane < Rows; ++lane) sum[lane] = kLog ? math::log(sum[lane]) : A(1) / sum[lane];
    for (int64_t i = 0; i < width; ++i) {
      for (int lane = 0; lane < Rows; ++lane) value[lane] = load(from[lane * width + i]) - largest[lane];
      SN_INDEPENDENT
      for (int lane = 0; lane < Rows; ++lane) {
        value[lane] = kLog ? value[lane] - sum[lane] : math::exp(value[lane]) * sum[lane];
      }
      for (int lane = 0; lane < Rows; ++lane) to[lane * width + i] = store<T>(value[lane]);
    }
  }

  SN_DEVICE void long_row(int64_t row) const {
    const T* const from = x + row * width;
    T* const to = y + row * width;
    const A largest = long_row_max(width, from);
    const A sum = long_row_sum(width, from, largest, kLog ? nullptr : to);
    const Range range = block_range(width);
    if constexpr (kLog) {
      const A log_sum = math::log(sum);
      SN_INDEPENDENT
      for (int64_t i = range.begin; i < range.end; i += range.step)
        to[i] = store<T>((load(from[i]) - largest) - log_sum);
    } else if constexpr (kKeepsExponentials<T>) {
      const A inverse = A(1) / sum;
      SN_INDEPENDENT
      for (int64_t i = range.begin; i < range.end; i += range.step) to[i] *= inverse;
    } else {
      const A inverse = A(1) / sum;
      SN_INDEPENDENT
      for (int64_t i = range.begin; i < range.end; i += range.step) {
        to[i] = store<T>(math::exp(load(from[i]) - largest) * inverse);
      }
    }
  }
};

// dx = y (dy - sum(dy y)), or dy - exp(y) sum(dy) for log-softmax: the output is all that forward keeps.
template <class T, bool kLog>
struct SoftmaxBackwardRows {
  using A = Accumulate<T>;
  int64_t width;
  const T *dy, *y;
  T* dx;

  static SN_DEVICE A term(A dy, A y) { return kLog ? dy : dy * y; }
  static SN_DEVICE A slope(A dy, A y, A sum) { return kLog ? dy - math::exp(y) * sum : y * (dy - sum); }

  template <int Rows>
  SN_DEVICE void short_rows(int64_t first) const {
    const int64_t begin = first * width;
    A sum[Rows], gradient[Rows], value[Rows];
    for (int lane = 0; lane < Rows; ++lane) sum[lane] = 0;
    for (int64_t i = 0; i < width; ++i) {
      for (int lane = 0; lane < Rows; ++lane) {
        const int64_t at = begin + lane * width + i;
        sum[lane] += term(load(dy[at]), load(y[at]));
      }
    }
    for (int64_t i = 0; i < width; ++i) {
      for (int lane = 0; lane < Rows; ++lane) {
        const int64_t at = begin + lane * width + i;
        gradient[lane] = load(dy[at]);
        value[lane] = load(y[at]);
      }
      SN_INDEPENDENT
      for (int lane = 0; lane < Rows; ++lane) value[lane] = slope(gradient[lane], value[lane], sum[lane]);
      for (int lane = 0; lane < Rows; ++lane) dx[begin + lane * width + i] = store<T>(value[lane]);
    }
  }

  SN_DEVICE void long_row(int64_t row) const {
    const T *const gradient = dy + row * width, *const value = y + row * width;
    T* const to = dx + row * width;
    const Range range = block_range(width);
    const A sum = block_sum(sum_in_steps<A>(range, [=](int64_t i) { return term(load(gradient[i]), load(value[i])); }));
    SN_INDEPENDENT
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      to[i] = store<T>(slope(load(gradient[i]), load(value[i]), sum));
    }
  }
};

// ---- Cross-entropy of softmax ----
// loss = total log(sum exp x) - sum(label x), gradient = total softmax(x) - label, where total = sum(label), 1 for
// labels that are probabilities. A label of 0 takes no part, so a logit of -Infinity costs nothing there.

// One row of probabilities for each row of logits, drawn towards 1 / width by label smoothing: keep label + floor.
template <class T>
struct DenseLabels {
  using A = Accumulate<T>;
  static constexpr bool kSparse = false;
  const T* labels;
  A keep, floor;
  SN_DEVICE A at(int64_t row, int64_t width, int64_t i) const { return load(labels[row * width + i]) * keep + floor; }
};

// One class number for each row. Outside [0, width) the row's loss and gradient are NaN: a kernel cannot throw.
template <class T>
struct SparseLabels {
  using A = Accumulate<T>;
  static constexpr bool kSparse = true;
  const int32_t* labels;
  SN_DEVICE A at(int64_t row, int64_t, int64_t i) const { return labels[row] == i ? A(1) : A(0); }
};

template <class T, class Labels>
struct CrossEntropyRows {
  using A = Accumulate<T>;
  int64_t width;
  const T* logits;
  Labels labels;
  A* loss;
  T* gradient;    // null: not asked for
  int32_t* rank;  // of the labelled class among the logits; null: not asked for

  static SN_DEVICE A share(A label, A shifted) { return label == A(0) ? A(0) : label * shifted; }
  // No label in range: NaN, by way of a constant, since device code may not call the function that makes it.
  static constexpr A kNan = std::numeric_limits<A>::quiet_NaN();
  static SN_DEVICE A checked(A total) { return Labels::kSparse && total == A(0) ? kNan : total; }

  template <int Rows>
  SN_DEVICE void short_rows(int64_t first) const {
    const T* const x = logits + first * width;
    A largest[Rows], sum[Rows], total[Rows], product[Rows], shifted[Rows], label[Rows];
    short_rows_max<Rows>(width, x, largest);
    for (int lane = 0; lane < Rows; ++lane) sum[lane] = total[lane] = product[lane] = 0;
    for (int64_t i = 0; i < width; ++i) {
      for (int lane = 0; lane < Rows; ++lane) {
        shifted[lane] = load(x[lane * width + i]) - largest[lane];
        label[lane] = labels.at(first + lane, width, i);
      }
      SN_INDEPENDENT
      for (int lane = 0; lane < Rows; ++lane) {
        sum[lane] += math::exp(shifted[lane]);
        total[lane] += label[lane];
        product[lane] += share(label[lane], shifted[lane]);
      }
    }
    for (int lane = 0; lane < Rows; ++lane) {
      total[lane] = checked(total[lane]);
      loss[first + lane] = total[lane] * math::log(sum[lane]) - product[lane];
    }
    if (rank) {
      for (int lane = 0; lane < Rows; ++lane) {
        rank[first + lane] = rank_in_short_row(x + lane * width, labels, first + lane, width);
      }
    }
    if (!gradient) return;
    T* const to = gradient + first * width;
    for (int lane = 0; lane < Rows; ++lane) total[lane] /= sum[lane];
    for (int64_t i = 0; i < width; ++i) {
      for (int lane = 0; lane < Rows; ++lane) {
        shifted[lane] = load(x[lane * width + i]) - largest[lane];
        label[lane] = labels.at(first + lane, width, i);
      }
      SN_INDEPENDENT
      for (int lane = 0; lane < Rows; ++lane) shifted[lane] = math::exp(shifted[lane]) * total[lane] - label[lane];
      for (int lane = 0; lane < Rows; ++lane) to[lane * width + i] = store<T>(shifted[lane]);
    }
  }

  SN_DEVICE void long_row(int64_t row) const {
    const T* const x = logits + row * width;
    T* const to = gradient ? gradient + row * width : nullptr;
    const Range range = block_range(width);
    const A largest = long_row_max(width, x);
    const A sum = long_row_sum(width, x, largest, to);
    A total = 0, product = 0;
    if constexpr (Labels::kSparse) {
      const int64_t label = labels.labels[row];
      const bool known = label >= 0 && label < width;
      total = checked(known ? A(1) : A(0));
      product = known ? load(x[label]) - largest : A(0);
    } else {
      total = block_sum(sum_in_steps<A>(range, [&](int64_t i) { return labels.at(row, width, i); }));
      product = block_sum(
          sum_in_steps<A>(range, [&](int64_t i) { return share(labels.at(row, width, i), load(x[i]) - largest); }));
    }
    if (range.begin == 0) loss[row] = total * math::log(sum) - product;
    if (rank) rank_in_long_row(x, labels, row, width, rank);
    if (to) long_row_gradient(row, range, x, to, largest, total / sum);
  }

  SN_DEVICE void long_row_gradient(int64_t row, const Range& range, const T* x, T* to, A largest, A factor) const {
    SN_INDEPENDENT
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      A probability;
      if constexpr (kKeepsExponentials<T>) {
        probability = to[i] * factor;
      } else {
        probability = math::exp(load(x[i]) - largest) * factor;
      }
      if constexpr (!Labels::kSparse) probability -= labels.at(row, width, i);
      to[i] = store<T>(probability);
    }
    if constexpr (Labels::kSparse) {
      // The one element of the label is written again, by the thread that wrote it before.
      const int64_t label = labels.labels[row];
      if (label >= range.begin && label < width && (label - range.begin) % range.step == 0) {
        to[label] = store<T>(math::exp(load(x[label]) - largest) * factor - A(1));
      }
    }
  }
};

// y = x times its row's factor: the gradient that forward computed meets dy.
template <class T>
struct ScaleRows {
  int64_t width;
  const T* x;
  const Accumulate<T>* factors;
  T* y;

  template <int Rows>
  SN_DEVICE void short_rows(int64_t first) const {
    for (int64_t row = first; row < first + Rows; ++row) {
      const Accumulate<T> factor = factors[row];
      SN_INDEPENDENT
      for (int64_t i = row * width; i < (row + 1) * width; ++i) y[i] = store<T>(load(x[i]) * factor);
    }
  }
  SN_DEVICE void long_row(int64_t row) const {
    const Accumulate<T> factor = factors[row];
    const T* const from = x + row * width;
    T* const to = y + row * width;
    const Range range = block_range(width);
    SN_INDEPENDENT
    for (int64_t i = range.begin; i < range.end; i += range.step) to[i] = store<T>(load(from[i]) * factor);
  }
};

}  // namespace selfnorm::SN_BUILD
