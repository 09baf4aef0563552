// Dropout and alpha dropout (Klambauer et al. 2017), forward and backward, alone and fused with SELU. The mask is never
// stored: backward draws the same bits again. An element is kept when its 16 bits are at least the threshold: integers
// from end to end, so every device makes the same mask. Kept NaN stays NaN.
#pragma once

#include "activations.h"

namespace selfnorm::SN_BUILD {

// keep ? a x + b : dropped. Dropout is a = 1 / keep probability, b = dropped = 0; the backward of either form is b =
// dropped = 0 applied to dy.
template <class A>
struct MaskedAffine {
  int32_t threshold;
  A a, b, dropped;
  SN_HD A operator()(uint16_t bits, A x) const {
    const A kept = a * x + b;
    return int32_t(bits) >= threshold ? kept : dropped;
  }
};

// Alpha dropout of selu(x).
template <class A>
struct SeluMaskedAffine {
  Selu selu;
  MaskedAffine<A> mask;
  SN_HD A operator()(uint16_t bits, A x) const { return mask(bits, selu.forward(x)); }
};

// Its backward, from dy and the INPUT. The output would do but for one thing: a positive x below half an ulp of b gives
// y = b, as x = 0 does, and the slope on the two sides differs by the factor alpha (in bfloat16 for |x| up to 1e-3).
// Traffic is the same either way: two reads and a write.
template <class A>
struct SeluMaskedBackward {
  Selu selu;
  MaskedAffine<A> mask;
  SN_HD A operator()(uint16_t bits, A dy, A x) const {
    const A negative = A(selu.scale * selu.alpha) * math::exp(x > A(0) ? A(0) : x);
    return mask(bits, dy * (x > A(0) ? A(selu.scale) : negative));
  }
};

}  // namespace selfnorm::SN_BUILD
