// How numbers are stored and in what they are computed. half and bfloat16 are storage only: they have no operators, so
// that half arithmetic cannot slip in; kernels load to Accumulate<T> (float, or double for double), compute, and store.
#pragma once

#include "portable.h"
#if SN_GPU
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace selfnorm {

// The order is part of the contract with TypeScript (src/tensor/dtype.ts).
enum class DType : int32_t { kFloat32 = 0, kFloat16, kBfloat16, kFloat64, kInt32, kUint8, kBool };

inline constexpr int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat64: return 8;
    case DType::kFloat32:
    case DType::kInt32: return 4;
    case DType::kFloat16:
    case DType::kBfloat16: return 2;
    default: return 1;
  }
}

struct half {
  uint16_t bits;
};
struct bfloat16 {
  uint16_t bits;
};
// Stored as one byte that is 0 or 1; a type of its own so that casts to bool are comparisons with zero.
struct boolean {
  uint8_t byte;
};

}  // namespace selfnorm

namespace selfnorm::SN_BUILD {

template <class T>
struct AccumulateOf {
  using type = T;
};
template <>
struct AccumulateOf<half> {
  using type = float;
};
template <>
struct AccumulateOf<bfloat16> {
  using type = float;
};
template <>
struct AccumulateOf<uint8_t> {
  using type = int32_t;
};
template <>
struct AccumulateOf<boolean> {
  using type = int32_t;
};
// The type a kernel computes in for storage type T.
template <class T>
using Accumulate = typename AccumulateOf<T>::type;

#if SN_GPU
SN_HD float half_to_float(half h) { return __half2float(__ushort_as_half(h.bits)); }
SN_HD half float_to_half(float f) { return {__half_as_ushort(__float2half_rn(f))}; }
SN_HD float bfloat16_to_float(bfloat16 b) { return __bfloat162float(__ushort_as_bfloat16(b.bits)); }
SN_HD bfloat16 float_to_bfloat16(float f) { return {__bfloat16_as_ushort(__float2bfloat16_rn(f))}; }
#else
// Branch-free so that loops vectorise. Scaling by 2^112 turns half's exponent range, denormals included, into float's.
inline float half_to_float(half h) {
  const uint32_t magnitude = uint32_t(h.bits & 0x7fffu) << 13;
  const float finite = bit_copy<float>(magnitude) * bit_copy<float>(uint32_t(239) << 23);
  const uint32_t infinite_or_nan = magnitude | 0x7f800000u;
  const uint32_t bits = magnitude >= 0x0f800000u ? infinite_or_nan : bit_copy<uint32_t>(finite);
  return bit_copy<float>(bits | (uint32_t(h.bits & 0x8000u) << 16));
}
// Round to nearest even. Denormals round by adding a magic number whose last bit is half's smallest denormal.
inline half float_to_half(float f) {
  const uint32_t bits = bit_copy<uint32_t>(f);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  const uint32_t normal = (magnitude - 0x38000000u + 0x0fffu + ((magnitude >> 13) & 1u)) >> 13;
  const float magic = bit_copy<float>(126u << 23);
  const uint32_t denormal = bit_copy<uint32_t>(bit_copy<float>(magnitude) + magic) - (126u << 23);
  const uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  uint32_t result = magnitude < 0x38800000u ? denormal : normal;
  result = magnitude >= 0x47800000u - 0x1000u ? special : result;
  return {uint16_t(sign | result)};
}
inline float bfloat16_to_float(bfloat16 b) { return bit_copy<float>(uint32_t(b.bits) << 16); }
inline bfloat16 float_to_bfloat16(float f) {
  const uint32_t bits = bit_copy<uint32_t>(f);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return {uint16_t((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded)};
}
#endif

template <class T>
SN_HD Accumulate<T> load(T value) {
  if constexpr (std::is_same_v<T, half>) {
    return half_to_float(value);
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    return bfloat16_to_float(value);
  } else if constexpr (std::is_same_v<T, boolean>) {
    return value.byte;
  } else {
    return value;
  }
}

// Float to integer saturates and turns NaN into 0 on every device, where C++ leaves it undefined.
template <class I, class F>
SN_HD I saturate(F value) {
  constexpr F low = F(std::numeric_limits<I>::min());
  constexpr F high = F(std::numeric_limits<I>::max());
  const F safe = value > low ? (value < high ? value : F(0)) : F(0);
  const I inside = static_cast<I>(safe);
  return value >= high ? std::numeric_limits<I>::max() : value <= low ? std::numeric_limits<I>::min() : inside;
}

// Values that float cannot hold, on their way to a half type: rounding twice to nearest can end on the wrong neighbour.
// Rounded to the odd one of the two floats around it, a value stays on its side of every tie of a narrower type.
SN_HD float round_to_odd(double value) {
  const float nearest = static_cast<float>(value);
  const double back = nearest;
  const uint32_t bits = bit_copy<uint32_t>(nearest);
  // One step towards zero where rounding went away from it. NaN stays NaN.
  const bool away = value < 0 ? back < value : back > value;
  const uint32_t odd = (away ? bits - 1 : bits) | 1u;
  return bit_copy<float>(back == value ? bits : odd);
}
SN_HD float round_to_odd(int32_t value) {
  const uint32_t bits = uint32_t(value);
  const uint32_t magnitude = value < 0 ? 0u - bits : bits;
  // 24 bits are kept, the last of them as the trace of the others.
  const uint32_t kept = (magnitude & ~0xffu) | ((magnitude & 0xffu) != 0 ? 0x80u : 0u);
  const float result = float(magnitude < (1u << 24) ? magnitude : kept);
  return value < 0 ? -result : result;
}
SN_HD float narrowed(double value) { return round_to_odd(value); }
SN_HD float narrowed(int32_t value) { return round_to_odd(value); }
SN_HD float narrowed(float value) { return value; }

// Stores a computed value as T: rounds to nearest even for the float types, saturates into integers, tests for bool.
template <class T, class A>
SN_HD T store(A value) {
  if constexpr (std::is_same_v<T, half>) {
    return float_to_half(narrowed(value));
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    return float_to_bfloat16(narrowed(value));
  } else if constexpr (std::is_same_v<T, boolean>) {
    return {static_cast<uint8_t>(value != A(0))};
  } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<A>) {
    return saturate<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace selfnorm::SN_BUILD
