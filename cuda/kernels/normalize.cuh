// Batch normalisation over every axis but the last, with an activation behind it: moments, the map x -> y, and the sums
// its gradients need. Few channels would make short loops, so an array is read as rows of a period: as many rows of
// channels as fill a loop, with coefficients repeated to that length.
#pragma once

#include "activations.h"
#include "pack.h"
#include "reduce.h"

namespace selfnorm::SN_BUILD {

// Columns a group works on at a time, and period rows it sums before a second stage adds up the groups' sums. Neither
// depends on the number of threads, so results do not either.
inline constexpr int64_t kColumnTile = 256, kChunkRows = 64;
// The CPU's thread walks rows of its columns, the others' threads own a column each.
inline constexpr int kColumnsAtOnce = kManyThreads ? 1 : int(kColumnTile);

// n values with `channels` innermost, seen as rows of period = channels * repeat; the last row may be shorter.
struct Periods {
  int64_t n, channels, repeat, period, full_rows, rest, tiles, chunks;

  // Period rows of a chunk that have this column.
  SN_HD int64_t rows_in_chunk(int64_t chunk, int64_t column) const {
    const int64_t rows = full_rows + (column < rest) - chunk * kChunkRows;
    return rows < 0 ? 0 : rows < kChunkRows ? rows : kChunkRows;
  }
};

inline Periods periods_of(int64_t n, int64_t channels) {
  // A multiple of 8, so that packs of any dtype divide the period; long rows stay as they are.
  const int64_t wanted = channels < kColumnTile ? (kColumnTile + channels - 1) / channels : 1;
  const int64_t repeat = channels < kColumnTile ? (wanted + 7) / 8 * 8 : 1;
  const int64_t period = channels * repeat, rows = (n + period - 1) / period;
  return {n,
          channels,
          repeat,
          period,
          n / period,
          n % period,
          (period + kColumnTile - 1) / kColumnTile,
          (rows + kChunkRows - 1) / kChunkRows};
}

// Coefficients of a channel: y = (x - mean) factor + offset, factor = scale inverse.
template <class A>
struct ChannelFacts {
  const A *mean, *variance, *scale, *offset;  // scale 1 and offset 0 where null
  A epsilon;
  SN_DEVICE A inverse(int64_t channel) const { return A(1) / math::sqrt(variance[channel] + epsilon); }
  SN_DEVICE A factor(int64_t channel) const { return scale ? inverse(channel) * scale[channel] : inverse(channel); }
};

// The same, repeated over a period: [3][period].
template <class A>
__global__ void batch_norm_spread_kernel(Periods shape, ChannelFacts<A> facts, A* spread) {
  const Range range = grid_range(shape.period);
  for (int64_t i = range.begin; i < range.end; i += range.step) {
    const int64_t channel = i % shape.channels;
    spread[i] = facts.mean[channel];
    spread[shape.period + i] = facts.factor(channel);
    spread[2 * shape.period + i] = facts.offset ? facts.offset[channel] : A(0);
  }
}

// ---- Maps with coefficients of the column ----

template <class A>
struct NormalizedColumns {
  const A *mean, *factor, *offset;
  SN_DEVICE A operator()(int64_t column, A x) const { return (x - mean[column]) * factor[column] + offset[column]; }
};
template <class Activation, class A>
struct Normalize {
  Activation activation;
  NormalizedColumns<A> normalized;
  SN_DEVICE A operator()(int64_t column, A x) const { return activation.forward(normalized(column, x)); }
};
// dz = dy f'(z). z is worked out from x again: that costs less than a pass that writes it and one that reads it.
template <class Activation, class A>
struct NormalizedGradient {
  Activation activation;
  NormalizedColumns<A> normalized;
  SN_DEVICE A operator()(int64_t column, A dy, A x) const {
    if constexpr (std::is_same_v<Activation, Linear>) {
      return dy;
    } else {
      const A z = normalized(column, x);
      if constexpr (Activation::kFacts.saves == Saves::kInput) return dy * activation.derivative(z);
      return dy * activation.derivative(activation.forward(z));
    }
  }
};
template <class A>
struct ScaleColumns {
  const A* factor;
  SN_DEVICE A operator()(int64_t column, A dy) const { return dy * factor[column]; }
};
// The batch's own moments depend on x too: dx = factor (dz - mean(dz)) + slope (x - mean).
template <class Activation, class A>
struct BatchNormSlope {
  NormalizedGradient<Activation, A> gradient;
  const A *mean_dz, *slope;
  SN_DEVICE A operator()(int64_t column, A dy, A x) const {
    const auto& [mean, factor, offset] = gradient.normalized;
    return factor[column] * (gradient(column, dy, x) - mean_dz[column]) + slope[column] * (x - mean[column]);
  }
};

template <int Width, class F, class T, class... In>
__global__ void column_map_kernel(Periods shape, F f, T* output, const In*... inputs) {
  if constexpr (kManyThreads) {
    const Range packs = grid_range(shape.n / Width);
    for (int64_t p = packs.begin; p < packs.end; p += packs.step) {
      const int64_t column = p * Width % shape.period;
      Pack<T, Width> result;
      const auto fill = [&](const auto&... pack) {
        SN_UNROLL
        for (int lane = 0; lane < Width; ++lane)
          result.values[lane] = store<T>(f(column + lane, load(pack.values[lane])...));
      };
      fill(load_pack<Width>(inputs + p * Width)...);
      store_pack(output + p * Width, result);
    }
    const int64_t done = shape.n / Width * Width;
    const Range tail = grid_range(shape.n - done);
    for (int64_t i = done + tail.begin; i < shape.n; i += tail.step) {
      output[i] = store<T>(f(i % shape.period, load(inputs[i])...));
    }
  } else {
    const Range range = grid_range(shape.n);
    for (int64_t i = range.begin; i < range.end;) {
      const int64_t column = i % shape.period;
      const int64_t to_row_end = shape.period - column, left = range.end - i;
      const int64_t length = to_row_end < left ? to_row_end : left;
      SN_INDEPENDENT
      for (int64_t k = 0; k < length; ++k) output[i + k] = store<T>(f(column + k, load(inputs[i + k])...));
      i += length;
    }
  }
}

// ---- Two sums a column over a chunk of rows ----

// Sums of x - shift and its square, the shift being the chunk's own first row: at most 64 times the rounding error of
// exact differences, however far the mean is from zero. They end as the chunk's mean, less the shift, and its sum of
// squared deviations.
template <class T>
struct ShiftedMoments {
  using A = Accumulate<T>;
  const T* x;
  SN_DEVICE void add(int64_t at, int64_t first, int64_t, A& sum, A& squares) const {
    const A difference = load(x[at]) - load(x[first]);
    sum += difference;
    squares += difference * difference;
  }
  SN_DEVICE void finish(int64_t rows, A& sum, A& squares) const {
    const A mean = sum / A(rows);
    squares -= sum * mean;
    sum = mean;
  }
};

// Sums of dz and of dz (x - mean): what every gradient of a batch normalisation is made of.
template <class Activation, class T>
struct GradientSums {
  using A = Accumulate<T>;
  const T *dy, *x;
  NormalizedGradient<Activation, A> gradient;
  SN_DEVICE void add(int64_t at, int64_t, int64_t column, A& sum, A& product) const {
    const A value = load(x[at]), slope = gradient(column, load(dy[at]), value);
    sum += slope;
    product += slope * (value - gradient.normalized.mean[column]);
  }
  SN_DEVICE void finish(int64_t, A&, A&) const {}
};

// partial: [2][chunks][period]
template <class F, class A>
__global__ void column_partials_kernel(Periods shape, F f, A* partial) {
  const int64_t half = shape.chunks * shape.period;
  const Range range = group_range(shape.chunks * shape.tiles);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t chunk = group / shape.tiles, tile = group % shape.tiles;
    const int64_t row0 = chunk * kChunkRows, last = tile * kColumnTile + kColumnTile;
    const int64_t columns_end = last < shape.period ? last : shape.period;
    const Range columns = block_range(columns_end - tile * kColumnTile);
    for (int64_t j = columns.begin; j < columns.end; j += columns.step * kColumnsAtOnce) {
      const int64_t column = tile * kColumnTile + j, first = row0 * shape.period + column;
      A a[kColumnsAtOnce], b[kColumnsAtOnce];
      for (int lane = 0; lane < kColumnsAtOnce; ++lane) a[lane] = b[lane] = 0;
      for (int64_t row = 0; row < kChunkRows; ++row) {
        const int64_t at = first + row * shape.period;
        const int64_t wanted = kManyThreads ? 1 : columns_end - column;
        const int64_t length = shape.n - at < wanted ? shape.n - at : wanted;
        if (length <= 0) break;
        SN_INDEPENDENT
        for (int64_t lane = 0; lane < length; ++lane) f.add(at + lane, first + lane, column + lane, a[lane], b[lane]);
      }
      const int64_t lanes = kManyThreads ? 1 : columns_end - column;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t rows = shape.rows_in_chunk(chunk, column + lane);
        if (rows > 0) f.finish(rows, a[lane], b[lane]);
        partial[chunk * shape.period + column + lane] = a[lane];
        partial[half + chunk * shape.period + column + lane] = b[lane];
      }
    }
  }
}

// ---- The second stage: a block a channel, or a CPU thread several ----

inline constexpr int kChannelsAtOnce = kManyThreads ? 1 : 32;

// Calls body(channel, lane) for the channels of a group that exist.
template <class Body>
SN_DEVICE void for_channels(int64_t first, int64_t channels, const Body& body) {
  const int64_t left = channels - first, lanes = left < kChannelsAtOnce ? left : kChannelsAtOnce;
  for (int64_t lane = 0; lane < lanes; ++lane) body(first + lane, lane);
}

// Chunk moments to moments: the mean of the means, then the deviations inside the chunks and of the chunks' means. In
// double, so that the order of millions of values leaves no trace.
template <class T>
__global__ void batch_moments_kernel(Periods shape, const T* x, const Accumulate<T>* partial, Accumulate<T>* mean,
                                     Accumulate<T>* variance) {
  using A = Accumulate<T>;
  // A chunk's mean: what is stored is less its shift, the chunk's first row.
  const auto chunk_mean = [&](int64_t chunk, int64_t column) {
    return double(load(x[chunk * kChunkRows * shape.period + column])) + double(partial[chunk * shape.period + column]);
  };
  const int64_t half = shape.chunks * shape.period, parts = shape.chunks * shape.repeat;
  const double rows = double(shape.n / shape.channels);
  const Range range = group_range((shape.channels + kChannelsAtOnce - 1) / kChannelsAtOnce);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t first = group * kChannelsAtOnce;
    const Range own = block_range(parts);
    double total[kChannelsAtOnce] = {}, deviation[kChannelsAtOnce] = {};
    for (int64_t part = own.begin; part < own.end; part += own.step) {
      const int64_t chunk = part / shape.repeat, base = part % shape.repeat * shape.channels;
      for_channels(first, shape.channels, [&](int64_t channel, int64_t lane) {
        const int64_t column = base + channel, count = shape.rows_in_chunk(chunk, column);
        if (count > 0) total[lane] += double(count) * chunk_mean(chunk, column);
      });
    }
    for (double& one : total) one = block_sum(one) / rows;
    for (int64_t part = own.begin; part < own.end; part += own.step) {
      const int64_t chunk = part / shape.repeat, base = part % shape.repeat * shape.channels;
      for_channels(first, shape.channels, [&](int64_t channel, int64_t lane) {
        const int64_t column = base + channel, count = shape.rows_in_chunk(chunk, column);
        if (count == 0) return;
        const double away = chunk_mean(chunk, column) - total[lane];
        deviation[lane] += double(partial[half + chunk * shape.period + column]) + double(count) * away * away;
      });
    }
    for (double& one : deviation) one = block_sum(one) / rows;
    if (own.begin == 0) {
      for_channels(first, shape.channels, [&](int64_t channel, int64_t lane) {
        mean[channel] = A(total[lane]);
        variance[channel] = A(deviation[lane]);
      });
    }
  }
}

// Gradients of given moments and of scale and offset.
template <class A>
struct ParameterGradients {
  ChannelFacts<A> facts;
  A *mean, *variance, *offset, *scale;
  SN_DEVICE void operator()(int64_t channel, double sum, double product, const Range& repeats) const {
    if (repeats.begin != 0) return;
    const double inverse = double(facts.inverse(channel)), factor = double(facts.factor(channel));
    mean[channel] = A(-factor * sum);
    variance[channel] = A(-0.5 * factor * inverse * inverse * product);
    offset[channel] = A(sum);
    scale[channel] = A(inverse * product);
  }
};

// Gradients of scale and offset, and the coefficients of BatchNormSlope, repeated over the period.
template <class A>
struct TrainingGradients {
  ChannelFacts<A> facts;
  Periods shape;
  A *scale, *offset;
  A *mean_dz, *slope;
  SN_DEVICE void operator()(int64_t channel, double sum, double product, const Range& repeats) const {
    const double inverse = double(facts.inverse(channel)), factor = double(facts.factor(channel));
    const double rows = double(shape.n / shape.channels);
    if (repeats.begin == 0) {
      scale[channel] = A(inverse * product);
      offset[channel] = A(sum);
    }
    for (int64_t k = repeats.begin; k < repeats.end; k += repeats.step) {
      mean_dz[k * shape.channels + channel] = A(sum / rows);
      slope[k * shape.channels + channel] = A(-factor * inverse * inverse * product / rows);
    }
  }
};

// Adds up the chunks' two sums of each channel and hands them to every thread's `finish`, with the repeats that this
// thread writes; what is written once is the business of the thread whose repeats begin at 0.
template <class A, class Finish>
__global__ void column_sums_kernel(int64_t channels, int64_t repeat, int64_t chunks, const A* partial, Finish finish) {
  const int64_t period = channels * repeat, half = chunks * period, parts = chunks * repeat;
  const Range range = group_range((channels + kChannelsAtOnce - 1) / kChannelsAtOnce);
  for (int64_t group = range.begin; group < range.end; group += range.step) {
    const int64_t first = group * kChannelsAtOnce;
    const Range own = block_range(parts);
    double a[kChannelsAtOnce] = {}, b[kChannelsAtOnce] = {};
    for (int64_t part = own.begin; part < own.end; part += own.step) {
      const int64_t base = part * channels;
      for_channels(first, channels, [&](int64_t channel, int64_t lane) {
        a[lane] += double(partial[base + channel]);
        b[lane] += double(partial[half + base + channel]);
      });
    }
    for (double& one : a) one = block_sum(one);
    for (double& one : b) one = block_sum(one);
    const Range repeats = block_range(repeat);
    for_channels(first, channels, [&](int64_t channel, int64_t lane) { finish(channel, a[lane], b[lane], repeats); });
  }
}

// average += share (value - average), for the averages that inference takes in the moments' place. `only_finite`: a
// channel whose moments are not stays as it is.
template <class A, class B>
__global__ void move_averages_kernel(int64_t channels, double share, bool only_finite, const A* mean, const A* variance,
                                     B* average_mean, B* average_variance) {
  const Range range = grid_range(channels);
  for (int64_t i = range.begin; i < range.end; i += range.step) {
    const bool moves = !only_finite || (mean[i] - mean[i] == A(0) && variance[i] - variance[i] == A(0));
    average_mean[i] = moves ? average_mean[i] + B(share) * (B(mean[i]) - average_mean[i]) : average_mean[i];
    average_variance[i] =
        moves ? average_variance[i] + B(share) * (B(variance[i]) - average_variance[i]) : average_variance[i];
  }
}

}  // namespace selfnorm::SN_BUILD
