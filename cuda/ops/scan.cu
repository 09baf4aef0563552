// cumsum. Params: [axis, exclusive, reverse].
#include "../kernels/scan.cuh"

#include "dispatch.h"
#include "runtime/launch.h"
#include "table.h"

namespace selfnorm::SN_BUILD {
namespace {

// Chunks, then the chunks of their totals, until one chunk is left.
template <class S, class In, class Out>
void scan(Queue& queue, const ScanShape& shape, Out* output, const In* input) {
  const int64_t chunks = shape.chunks(), columns = shape.outer * chunks * shape.inner;
  const int64_t cost = std::min(shape.length, kScanChunk);
  if (chunks == 1) {
    const S* const none = nullptr;
    launch(queue, elements(columns, cost), scan_chunks_kernel<S, In, Out>, columns, shape, output, input, none);
    return;
  }
  const Scratch totals(queue, size_t(columns) * sizeof(S)), starts(queue, size_t(columns) * sizeof(S));
  launch(queue, elements(columns, cost), scan_totals_kernel<S, In>, columns, shape, totals.as<S>(), input);
  // Totals stand in the direction of the scan already.
  scan<S, S, S>(queue, {shape.outer, chunks, shape.inner, true, false}, starts.as<S>(), totals.as<const S>());
  launch(queue, elements(columns, cost), scan_chunks_kernel<S, In, Out>, columns, shape, output, input,
         starts.as<const S>());
}

void cumsum(const Call& call) {
  const View &x = call.inputs[0], &y = call.outputs[0];
  if (x.size() == 0) return;
  const int64_t axis = call.integer(0);
  ScanShape shape{1, 1, 1, call.integer(1) != 0, call.integer(2) != 0};
  for (int i = 0; i < x.rank; ++i) (i < axis ? shape.outer : i == axis ? shape.length : shape.inner) *= x.dims[i];
  dispatch_number(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    scan<ReduceAccumulate<T>>(call.queue, shape, y.as<T>(), x.as<const T>());
  });
}

}  // namespace

void add_scan_ops(OpTable& table) { table.add({{"cumsum", cumsum}}); }

}  // namespace selfnorm::SN_BUILD
