// The random state: "rng_next" takes a stamp from it and moves it on (outputs: the state in place, the stamp);
// "rng_stamp" writes four 32-bit words, which makes a stamp from an explicit seed and seeds the state.
#include "../kernels/random_state.cuh"

#include "../kernels/random_values.h"
#include "random_map.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

void rng_next(const Call& call) {
  const View &state = call.outputs[0], &stamp = call.outputs[1];
  launch(call.queue, elements(1, 1), rng_next_kernel, state.as<RandomStamp>(), stamp.as<RandomStamp>());
}

void rng_stamp(const Call& call) {
  const RandomStamp value{uint32_t(call.params[0]), uint32_t(call.params[1]), uint32_t(call.params[2]),
                          uint32_t(call.params[3])};
  launch(call.queue, elements(1, 1), rng_stamp_kernel, value, call.outputs[0].as<RandomStamp>());
}

// The largest T below `high`, or one next to it; no limit where the range is empty or reversed.
template <class T>
double highest_below(double low, double high) {
  if (!(low < high)) return std::numeric_limits<double>::infinity();
  const auto rounded = [](double value) { return double(load(store<T>(value))); };
  double below = rounded(high);
  double step = std::max(std::abs(high) * 1e-17, std::numeric_limits<double>::denorm_min());
  for (; below >= high; step *= 2) below = rounded(high - step);
  return std::max(below, rounded(low));
}

// Params: [low, high]; input: the stamp. int32 takes the floor of a double draw.
void random_uniform(const Call& call) {
  const View &stamp = call.inputs[0], &y = call.outputs[0];
  const double low = call.params[0], high = call.params[1], range = high - low;
  if (y.dtype == DType::kInt32) {
    const FloorOf<UniformDraw<double>> draw{{low, range, highest_below<double>(low, high)}};
    launch_random_map<uint32_t>(call.queue, y.size(), 4, stamp, draw, y.as<int32_t>());
    return;
  }
  dispatch_float(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const UniformDraw<Accumulate<T>> draw{low, range, highest_below<T>(low, high)};
    launch_random_map<uint32_t>(call.queue, y.size(), 2, stamp, draw, y.as<T>());
  });
}

// Params: [mean, standard deviation, rest of erf at the limit (0: none)]; input: the stamp. int32 is rounded.
void random_normal(const Call& call) {
  constexpr int kCost = 40;
  const View &stamp = call.inputs[0], &y = call.outputs[0];
  const auto& p = call.params;
  if (y.dtype == DType::kInt32) {
    launch_random_map<uint32_t>(call.queue, y.size(), kCost, stamp, RoundOf<NormalDraw<float>>{{p[0], p[1], p[2]}},
                                y.as<int32_t>());
    return;
  }
  dispatch_float(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_random_map<uint32_t>(call.queue, y.size(), kCost, stamp, NormalDraw<Accumulate<T>>{p[0], p[1], p[2]},
                                y.as<T>());
  });
}

}  // namespace

void add_random_ops(OpTable& table) {
  table.add({
      {"random_normal", random_normal},
      {"random_uniform", random_uniform},
      {"rng_next", rng_next},
      {"rng_stamp", rng_stamp},
  });
}

}  // namespace selfnorm::SN_BUILD
