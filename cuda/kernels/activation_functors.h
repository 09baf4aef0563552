// An activation's functor as the map kernels take it: forward, backward (dx = dy f') and the backward of backward.
#pragma once

#include "activations.h"

namespace selfnorm::SN_BUILD {

template <class Activation>
struct ActivationForward {
  Activation activation;
  template <class A>
  SN_HD A operator()(A x) const {
    return activation.forward(x);
  }
};

template <class Activation>
struct ActivationBackward {
  Activation activation;
  template <class A>
  SN_HD A operator()(A dy, A saved) const {
    return dy * activation.derivative(saved);
  }
};

// Gradient of (dy * f'(saved)) with respect to `saved`, seeded with g.
template <class Activation>
struct ActivationSecond {
  Activation activation;
  template <class A>
  SN_HD A operator()(A g, A dy, A saved) const {
    return g * dy * activation.derivative(Dual<A>(saved, A(1))).slope;
  }
};

}  // namespace selfnorm::SN_BUILD
