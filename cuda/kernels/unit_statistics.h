// What a layer's units did over a batch, in one pass over its output: the moments of each, and whether each of its
// values was 0, on a straight piece of the activation, or next to a limit of it. A fold for the column reduction of
// reductions.cuh.
#pragma once

#include "folds.h"

namespace selfnorm::SN_BUILD {

// Which kind every finite value of a unit so far is of; joining states keeps what both are.
inline constexpr uint32_t kAllZero = 1, kAllAbove = 2, kAllBelow = 4, kAllSaturated = 8, kAllKinds = 15;

// Sums of x - shift and its square in double, the shift being the unit's first value: the digits of values far from
// zero are kept.
struct UnitSums {
  double sum, squares;
  int64_t finite;
  uint32_t kinds, unused;  // named, so that no byte is left undefined
};

struct UnitFold {
  template <class S>
  static SN_HD S identity() {
    return {0, 0, 0, kAllKinds, 0};
  }
  SN_HD UnitSums operator()(UnitSums a, UnitSums b) const {
    return {a.sum + b.sum, a.squares + b.squares, a.finite + b.finite, a.kinds & b.kinds, 0};
  }
};

// Where the activation is a straight line, and from where on it counts as at its limit: below `low`, above `high`.
// Infinities where there is no such place.
struct UnitRanges {
  double above_from, above_to, below_from, below_to, low, high;
};

SN_HD bool is_finite(double value) { return value - value == 0; }

// A unit's values are `y`; `judged` is what the straight pieces are judged by: y itself where it tells the input, else
// the input.
template <class T>
struct LoadUnit {
  using State = UnitSums;
  static constexpr bool kNeedsPlace = true;  // the column is the unit
  const T *y, *judged;
  UnitRanges ranges;

  SN_HD double shift(int64_t unit) const {
    const double first = double(load(y[unit]));
    return is_finite(first) ? first : 0;
  }
  SN_HD UnitSums operator()(int64_t at, int64_t, int64_t unit) const {
    const double value = double(load(y[at])), side = double(load(judged[at]));
    if (!is_finite(value)) return {0, 0, 0, 0, 0};
    const double away = value - shift(unit);
    const uint32_t kinds = (value == 0 ? kAllZero : 0) |
                           (side > ranges.above_from && side < ranges.above_to ? kAllAbove : 0) |
                           (side > ranges.below_from && side < ranges.below_to ? kAllBelow : 0) |
                           (value <= ranges.low || value >= ranges.high ? kAllSaturated : 0);
    return {away, away * away, 1, kinds, 0};
  }
};

// What a unit is said to be: the first that holds.
enum class UnitKind { kActive, kDead, kLinear, kSaturated, kNotFinite };

// result: [4][units], rows mean, variance, number of finite values, kind.
template <class T>
struct StoreUnit {
  LoadUnit<T> source;
  int64_t rows, units;
  double* result;

  SN_HD UnitKind kind(const UnitSums& unit) const {
    if (unit.finite < rows) return UnitKind::kNotFinite;
    if (unit.kinds & kAllZero) return UnitKind::kDead;
    if (unit.kinds & (kAllAbove | kAllBelow)) return UnitKind::kLinear;
    return unit.kinds & kAllSaturated ? UnitKind::kSaturated : UnitKind::kActive;
  }
  SN_HD void operator()(int64_t unit, UnitSums total) const {
    const double mean = total.sum / double(total.finite);  // NaN where nothing is finite
    const double variance = total.squares / double(total.finite) - mean * mean;
    result[unit] = source.shift(unit) + mean;
    result[units + unit] = variance < 0 ? 0 : variance;
    result[2 * units + unit] = double(total.finite);
    result[3 * units + unit] = double(int(kind(total)));
  }
};

}  // namespace selfnorm::SN_BUILD
