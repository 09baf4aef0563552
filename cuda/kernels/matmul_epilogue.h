// What a matrix product of ours does with its sums before they are stored: bias, any activation of the table, dropout
// or alpha dropout with the mask of the op of its own, and the copy that backward wants; or it adds them to what is
// there. Which activation is asked at run time: a kernel for each of them would multiply the compile time by the length
// of the table.
#pragma once

#include "activations.h"
#include "dropout.cuh"
#include "matmul_result.h"
#include "pack.h"
#include "random_map.cuh"

namespace selfnorm::SN_BUILD {

template <class T>
struct MatmulEpilogue {
  using Value = T;
  static constexpr bool kSumsColumns = false;

  T* y;
  T* kept;                   // null: nothing is kept
  const T* bias;             // null: none
  const RandomStamp* stamp;  // null: no dropout
  Keeps keeps;
  int activation;  // row of the table, -1: none
  double parameters[2];
  MaskedAffine<float> mask;
  bool adds;   // to y
  bool packs;  // four elements of y, kept and bias that begin at a multiple of four may be moved at once
};

inline constexpr int kQuad = 4;

template <class... Functors>
SN_DEVICE void activate_quad(ActivationList<Functors...>, int row, const double* parameters, float (&values)[kQuad]) {
  int index = 0;
  const auto apply = [&]<class Activation>() {
    if (row != index++) return;
    const Activation activation(parameters);
    SN_UNROLL
    for (float& value : values) value = activation.forward(value);
  };
  (apply.template operator()<Functors>(), ...);
}

// The 16 bits of an element; no array is indexed, which would put it into local memory.
SN_DEVICE uint16_t draw_of(const RandomWords& words, int lane) {
  const uint32_t early = lane < 2 ? words.word[0] : words.word[1], late = lane < 6 ? words.word[2] : words.word[3];
  const uint32_t word = lane < 4 ? early : late;
  return uint16_t(lane % 2 == 0 ? word : word >> 16);
}

SN_DEVICE void drop_quad(const RandomStamp& stamp, const MaskedAffine<float>& mask, int64_t first,
                         float (&values)[kQuad]) {
  constexpr int kCount = kDraws<uint16_t>;
  const uint64_t group = uint64_t(first) / kCount;
  const int lane = int(first % kCount);
  const RandomWords here = philox(stamp, group);
  RandomWords next = here;
  if (lane + kQuad > kCount) next = philox(stamp, group + 1);
  SN_UNROLL
  for (int i = 0; i < kQuad; ++i) {
    const int at = lane + i;
    values[i] = mask(at < kCount ? draw_of(here, at) : draw_of(next, at - kCount), values[i]);
  }
}

template <class T>
SN_DEVICE void store_quad(T* to, const float (&values)[kQuad], int count, bool packs) {
  if (packs) {
    Pack<T, kQuad> pack;
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) pack.values[i] = store<T>(values[i]);
    store_pack(to, pack);
  } else {
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) {
      if (i < count) to[i] = store<T>(values[i]);
    }
  }
}

template <class T>
SN_DEVICE void load_quad(float (&values)[kQuad], const T* from, int count, bool packs) {
  if (packs) {
    const Pack<T, kQuad> pack = load_pack<kQuad>(from);
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) values[i] = load(pack.values[i]);
  } else {
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) values[i] = i < count ? load(from[i]) : 0;
  }
}

// Rounds as a store and a load would, so that a fused pass gives the bits of two.
template <class T>
SN_DEVICE void round_quad(float (&values)[kQuad]) {
  SN_UNROLL
  for (float& value : values) value = load(store<T>(value));
}

// Ends `count` neighbouring sums of a row, four unless the row ends: element `first` of y, in column `column`.
template <class T>
SN_DEVICE void finish_quad(const MatmulEpilogue<T>& epilogue, int64_t first, int64_t column, int count,
                           float (&values)[kQuad]) {
  const bool packs = epilogue.packs && count == kQuad;
  if (epilogue.adds) {
    float before[kQuad];
    load_quad(before, epilogue.y + first, count, packs);
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) values[i] += before[i];
  }
  if (epilogue.bias != nullptr) {
    SN_UNROLL
    for (int i = 0; i < kQuad; ++i) {
      if (i < count) values[i] += load(epilogue.bias[column + i]);
    }
  }
  if (epilogue.keeps == Keeps::kPreActivation) {
    store_quad(epilogue.kept + first, values, count, packs);
    round_quad<T>(values);
  }
  if (epilogue.activation > 0) activate_quad(Activations{}, epilogue.activation, epilogue.parameters, values);
  if (epilogue.keeps == Keeps::kActivated) store_quad(epilogue.kept + first, values, count, packs);
  if (epilogue.stamp != nullptr) {
    round_quad<T>(values);
    drop_quad(*epilogue.stamp, epilogue.mask, first, values);
  }
  store_quad(epilogue.y + first, values, count, packs);
}

}  // namespace selfnorm::SN_BUILD
