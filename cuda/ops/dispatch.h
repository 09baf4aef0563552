// From a dtype known at run time to a template argument. Each function calls `body` with a Type<T> tag, or throws when
// the dtype is not in its set (TypeScript has refused that before; this guards the invariant).
#pragma once

#include "op.h"

namespace selfnorm::SN_BUILD {

template <class T>
struct Type {
  using type = T;
};

[[noreturn]] inline void refuse_dtype(DType dtype, const char* expected) {
  throw Error("ERR_DTYPE", std::string("native op: dtype: expected ") + expected + ", got dtype number " +
                               std::to_string(int(dtype)));
}

template <class Body>
void dispatch_float(DType dtype, Body body) {
  switch (dtype) {
    case DType::kFloat32: return body(Type<float>{});
    case DType::kFloat16: return body(Type<half>{});
    case DType::kBfloat16: return body(Type<bfloat16>{});
    case DType::kFloat64: return body(Type<double>{});
    default: refuse_dtype(dtype, "a float dtype");
  }
}

// The dtypes arithmetic is done in: the float types and int32.
template <class Body>
void dispatch_number(DType dtype, Body body) {
  if (dtype == DType::kInt32) return body(Type<int32_t>{});
  dispatch_float(dtype, body);
}

template <class Body>
void dispatch_any(DType dtype, Body body) {
  switch (dtype) {
    case DType::kUint8: return body(Type<uint8_t>{});
    case DType::kBool: return body(Type<boolean>{});
    default: dispatch_number(dtype, body);
  }
}

// For kernels that only move data: a type of the same size stands for every dtype of that size.
template <class Body>
void dispatch_size(DType dtype, Body body) {
  switch (size_of(dtype)) {
    case 8: return body(Type<uint64_t>{});
    case 4: return body(Type<uint32_t>{});
    case 2: return body(Type<uint16_t>{});
    default: return body(Type<uint8_t>{});
  }
}

}  // namespace selfnorm::SN_BUILD
