// Many tensors as one kernel's work: a table of parameters with their gradients and slots, cut into chunks of fixed
// size, so that one large and fifty small tensors fill the device alike.
#pragma once

#include "range.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

// One block's work: four packs of each operand for every thread of a GPU block.
inline constexpr int64_t kParameterChunk = 4096;

template <int kSlots>
struct ParameterRow {
  void* parameter;
  const void* gradient;
  void* slots[kSlots == 0 ? 1 : kSlots];
  int64_t size;
  int64_t first_chunk;
};

// A kernel's arguments may take 4 KiB on every CUDA version; the rest is for its other arguments.
template <int kSlots>
struct ParameterTable {
  static constexpr int kMost = int(3584 / sizeof(ParameterRow<kSlots>));
  int count = 0;
  int64_t chunks = 0;
  ParameterRow<kSlots> rows[kMost];
};

// A chunk's row, and which of the row's elements it has.
struct ParameterSpan {
  int64_t begin, size;
};

template <int kSlots>
SN_DEVICE ParameterSpan span_of(const ParameterRow<kSlots>& row, int64_t chunk) {
  const int64_t begin = (chunk - row.first_chunk) * kParameterChunk;
  return {begin, row.size - begin < kParameterChunk ? row.size - begin : kParameterChunk};
}

// Moves `row` on to the row of `chunk`; a thread meets its chunks in order.
template <int kSlots>
SN_DEVICE void find_row(const ParameterTable<kSlots>& table, int64_t chunk, int& row) {
  while (row + 1 < table.count && table.rows[row + 1].first_chunk <= chunk) ++row;
}

}  // namespace selfnorm::SN_BUILD
