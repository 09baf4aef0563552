// Statistics of a layer's units, which are the last axis of its output: what the monitor of self-normalising networks
// reads.
#include "../kernels/unit_statistics.h"

#include "reduce.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// y [rows, units], what straight pieces are judged by? (y itself if left out) -> float64 [4, units]; params: the six
// bounds of UnitRanges.
void unit_statistics(const Call& call) {
  constexpr int kCost = 8;
  const View &y = call.inputs[0], &judged = call.inputs[1].present() ? call.inputs[1] : y;
  const int64_t units = call.outputs[0].dim(-1), rows = units == 0 ? 0 : y.size() / units;
  if (rows == 0) return;
  const auto& p = call.params;
  const UnitRanges ranges{p[0], p[1], p[2], p[3], p[4], p[5]};
  dispatch_float(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const LoadUnit<T> source{y.as<const T>(), judged.as<const T>(), ranges};
    reduce_columns(call.queue, rows, units, UnitFold{}, source,
                   StoreUnit<T>{source, rows, units, call.outputs[0].as<double>()}, kCost);
  });
}

}  // namespace

void add_unit_statistics_ops(OpTable& table) { table.add({{"unitStatistics", unit_statistics}}); }

}  // namespace selfnorm::SN_BUILD
