// Evenly spaced values, each computed from its own index in double: no error adds up along the way.
#pragma once

#include "range.h"
#include "storage.h"

namespace selfnorm::SN_BUILD {

template <class T>
__global__ void range_kernel(int64_t n, double start, double step, T* output) {
  const Range range = grid_range(n);
  SN_INDEPENDENT
  for (int64_t i = range.begin; i < range.end; i += range.step) output[i] = store<T>(start + double(i) * step);
}

// From both ends inwards, so that the last value is `stop` exactly.
template <class T>
__global__ void linspace_kernel(int64_t n, double start, double stop, T* output) {
  const double step = n > 1 ? (stop - start) / double(n - 1) : 0;
  const Range range = grid_range(n);
  SN_INDEPENDENT
  for (int64_t i = range.begin; i < range.end; i += range.step) {
    const double upwards = start + double(i) * step, downwards = stop - double(n - 1 - i) * step;
    output[i] = store<T>(2 * i < n ? upwards : downwards);
  }
}

}  // namespace selfnorm::SN_BUILD
