// The update rules of optimizers, as Keras 3 has them. A rule says how many slots a parameter has, works out once a
// step (advance, in double: 1 - beta^t loses its digits in float) what is the same for every element, and changes one
// element with its slots.
#pragma once

#include "math.h"

namespace selfnorm::SN_BUILD {

inline constexpr int kMostCoefficients = 3;

// An optimizer's state beside its slots, in device memory. TypeScript makes it: [0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0,
// 0].
struct OptimizerProgress {
  double step;           // steps taken, the current one included
  double product;        // Nadam's product of momentums
  double learning_rate;  // of the current step
  double scale;          // what gradients are multiplied by to clip their global norm
  double coefficients[kMostCoefficients];
  // Loss scaling: 1, 1, 1, 0, 0 without it.
  double taken;       // 0 where the current step is left out, or not due yet: nothing moves
  double unscale;     // what gradients are multiplied by to undo the scale of the loss that they are of
  double loss_scale;  // of the next loss
  double good_steps;  // since the scale changed
  double skipped;     // steps left out
  // Accumulation: batches whose gradients wait for their step. 0: the step of the last ones was due.
  double accumulated;
};

template <class A>
struct Coefficients {
  A values[kMostCoefficients];
};

struct SgdRule {
  static constexpr int kSlots = 0;
  SN_HD void advance(OptimizerProgress& now) const { now.coefficients[0] = now.learning_rate; }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A*) const {
    parameter -= now.values[0] * gradient;
  }
};

struct MomentumRule {
  static constexpr int kSlots = 1;
  double momentum;
  bool nesterov;
  SN_HD void advance(OptimizerProgress& now) const { now.coefficients[0] = now.learning_rate; }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    A& velocity = slots[0];
    const A step = now.values[0] * gradient;
    velocity = A(momentum) * velocity - step;
    const A ahead = A(momentum) * velocity - step;
    parameter += nesterov ? ahead : velocity;
  }
};

// Kingma & Ba 2015, "Adam: a method for stochastic optimization", with epsilon outside the bias correction.
struct AdamRule {
  static constexpr int kSlots = 2;
  double beta1, beta2, epsilon;
  SN_HD void advance(OptimizerProgress& now) const {
    now.coefficients[0] =
        now.learning_rate * math::sqrt(1 - math::pow(beta2, now.step)) / (1 - math::pow(beta1, now.step));
  }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    A &mean = slots[0], &square = slots[1];
    mean += (gradient - mean) * A(1 - beta1);
    square += (gradient * gradient - square) * A(1 - beta2);
    parameter -= mean * now.values[0] / (math::sqrt(square) + A(epsilon));
  }
};

// Kingma & Ba 2015, section 7: the infinity norm in the place of the root of squares.
struct AdamaxRule {
  static constexpr int kSlots = 2;
  double beta1, beta2, epsilon;
  SN_HD void advance(OptimizerProgress& now) const {
    now.coefficients[0] = now.learning_rate / (1 - math::pow(beta1, now.step));
  }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    A &mean = slots[0], &norm = slots[1];
    mean += (gradient - mean) * A(1 - beta1);
    norm = math::max_nan(A(beta2) * norm, math::abs(gradient));
    parameter -= mean * now.values[0] / (norm + A(epsilon));
  }
};

// Dozat 2016, "Incorporating Nesterov momentum into Adam", with its momentum schedule.
struct NadamRule {
  static constexpr int kSlots = 2;
  double beta1, beta2, epsilon;
  SN_HD double momentum_at(double step) const { return beta1 * (1 - 0.5 * math::pow(0.96, step)); }
  SN_HD void advance(OptimizerProgress& now) const {
    const double current = momentum_at(now.step), next = momentum_at(now.step + 1);
    now.product *= current;
    now.coefficients[0] = now.learning_rate * next / (1 - now.product * next);
    now.coefficients[1] = now.learning_rate * (1 - current) / (1 - now.product);
    now.coefficients[2] = 1 / (1 - math::pow(beta2, now.step));
  }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    A &mean = slots[0], &square = slots[1];
    mean += (gradient - mean) * A(1 - beta1);
    square += (gradient * gradient - square) * A(1 - beta2);
    const A ahead = mean * now.values[0] + gradient * now.values[1];
    parameter -= ahead / (math::sqrt(square * now.values[2]) + A(epsilon));
  }
};

// Zeiler 2012, "Adadelta: an adaptive learning rate method".
struct AdadeltaRule {
  static constexpr int kSlots = 2;
  double rho, epsilon;
  SN_HD void advance(OptimizerProgress& now) const { now.coefficients[0] = now.learning_rate; }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    A &squares = slots[0], &steps = slots[1];
    squares = A(rho) * squares + A(1 - rho) * (gradient * gradient);
    const A step = gradient * math::sqrt(steps + A(epsilon)) / math::sqrt(squares + A(epsilon));
    steps = A(rho) * steps + A(1 - rho) * (step * step);
    parameter -= now.values[0] * step;
  }
};

// Duchi, Hazan & Singer 2011, "Adaptive subgradient methods".
struct AdagradRule {
  static constexpr int kSlots = 1;
  double epsilon;
  SN_HD void advance(OptimizerProgress& now) const { now.coefficients[0] = now.learning_rate; }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    slots[0] += gradient * gradient;
    parameter -= now.values[0] * gradient / math::sqrt(slots[0] + A(epsilon));
  }
};

// Tieleman & Hinton 2012, lecture 6.5. Centred (Graves 2013) it divides by the deviation of gradients. Slots: squares,
// the mean where centred, the momentum where there is one.
template <bool kCentered, bool kMomentum>
struct RmsPropRule {
  static constexpr int kSlots = 1 + kCentered + kMomentum;
  double rho, momentum, epsilon;
  SN_HD void advance(OptimizerProgress& now) const { now.coefficients[0] = now.learning_rate; }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    slots[0] = A(rho) * slots[0] + A(1 - rho) * (gradient * gradient);
    A variance = slots[0];
    if constexpr (kCentered) {
      slots[1] = A(rho) * slots[1] + A(1 - rho) * gradient;
      // Where the gradient hardly changes, rounding can make this negative.
      variance = math::max_nan(slots[0] - slots[1] * slots[1], A(0));
    }
    A step = now.values[0] * gradient / math::sqrt(variance + A(epsilon));
    if constexpr (kMomentum) {
      A& velocity = slots[kSlots - 1];
      velocity = A(momentum) * velocity + step;
      step = velocity;
    }
    parameter -= step;
  }
};

// Chen et al. 2023, "Symbolic discovery of optimization algorithms".
struct LionRule {
  static constexpr int kSlots = 1;
  double beta1, beta2;
  SN_HD void advance(OptimizerProgress& now) const { now.coefficients[0] = now.learning_rate; }
  template <class A>
  SN_HD void operator()(const Coefficients<A>& now, A& parameter, A gradient, A* slots) const {
    A& mean = slots[0];
    const A direction = mean * A(beta1) + gradient * A(1 - beta1);
    mean = mean * A(beta2) + gradient * A(1 - beta2);
    // Zero and NaN are their own signs.
    const A negative = direction < A(0) ? A(-1) : direction;
    parameter -= now.values[0] * (direction > A(0) ? A(1) : negative);
  }
};

}  // namespace selfnorm::SN_BUILD
