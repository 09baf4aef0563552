// Where the labelled class stands among its row's scores: all that accuracy and top-k accuracy want to know, counted
// while the row is at hand in place of sorting it. The rank is 2 (classes with a larger score) + (1 if an equal one
// comes before): 0 where argMax finds the class, below 2k where it is among the k largest, ties being right.
#pragma once

#include <limits>

#include "math.h"
#include "reduce.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

// Of a class number out of range, and of a score that is NaN: right for no k.
inline constexpr int32_t kNoRank = std::numeric_limits<int32_t>::max();

// A NaN counts as larger than every number.
template <class A>
SN_DEVICE bool stands_above(A score, A own) {
  return !(score <= own);
}

// The row's class, by one thread: a class number, or where the labels are largest, the first of equal ones.
template <class Labels>
SN_DEVICE int64_t labelled_class(const Labels& labels, int64_t row, int64_t width) {
  if constexpr (Labels::kSparse) {
    return labels.labels[row];
  } else {
    int64_t best = 0;
    for (int64_t i = 1; i < width; ++i) {
      if (load(labels.labels[row * width + i]) > load(labels.labels[row * width + best])) best = i;
    }
    return best;
  }
}

template <class T, class Labels>
SN_DEVICE int32_t rank_in_short_row(const T* x, const Labels& labels, int64_t row, int64_t width) {
  const int64_t label = labelled_class(labels, row, width);
  if (label < 0 || label >= width) return kNoRank;
  const Accumulate<T> own = load(x[label]);
  if (own != own) return kNoRank;
  int32_t above = 0;
  bool ties = false;
  for (int64_t i = 0; i < width; ++i) above += stands_above(load(x[i]), own) ? 1 : 0;
  for (int64_t i = 0; i < label; ++i) ties |= load(x[i]) == own;
  return 2 * above + int32_t(ties);
}

// The row's class, by the threads of a block; all get it.
template <class Labels>
SN_DEVICE int64_t labelled_class_of_block(const Labels& labels, int64_t row, int64_t width) {
  if constexpr (Labels::kSparse) {
    return labels.labels[row];
  } else {
    using A = typename Labels::A;
    const Range range = block_range(width);
    const auto* const label = labels.labels + row * width;
    A largest = -math::kInfinity<A>;
    int32_t first = kNoRank;
    for (int64_t i = range.begin; i < range.end; i += range.step)
      largest = load(label[i]) > largest ? load(label[i]) : largest;
    largest = block_reduce(largest, [](A a, A b) { return b > a ? b : a; });
    for (int64_t i = range.begin; i < range.end; i += range.step) {
      if (load(label[i]) == largest && int32_t(i) < first) first = int32_t(i);
    }
    return block_reduce(first, [](int32_t a, int32_t b) { return b < a ? b : a; });
  }
}

template <class T, class Labels>
SN_DEVICE void rank_in_long_row(const T* x, const Labels& labels, int64_t row, int64_t width, int32_t* rank) {
  const Range range = block_range(width);
  const int64_t label = labelled_class_of_block(labels, row, width);
  const bool known = label >= 0 && label < width;
  const Accumulate<T> own = known ? load(x[label]) : Accumulate<T>(0);
  int32_t above = 0, ties = 0;
  for (int64_t i = range.begin; i < range.end; i += range.step) {
    const Accumulate<T> score = load(x[i]);
    above += stands_above(score, own) ? 1 : 0;
    ties |= int32_t(i < label && score == own);
  }
  above = block_sum(above);
  ties = block_sum(ties);
  if (range.begin == 0) rank[row] = known && own == own ? 2 * above + int32_t(ties > 0) : kNoRank;
}

// The ranks alone, where no cross-entropy is computed beside them.
template <class T, class Labels>
struct ClassRankRows {
  int64_t width;
  const T* scores;
  Labels labels;
  int32_t* rank;

  template <int Rows>
  SN_DEVICE void short_rows(int64_t first) const {
    for (int64_t row = first; row < first + Rows; ++row) {
      rank[row] = rank_in_short_row(scores + row * width, labels, row, width);
    }
  }
  SN_DEVICE void long_row(int64_t row) const { rank_in_long_row(scores + row * width, labels, row, width, rank); }
};

}  // namespace selfnorm::SN_BUILD
