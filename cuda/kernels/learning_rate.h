// Learning rates as functions of the step, described by numbers in device memory: a recorded step follows its schedule,
// and finds another one there when the rate is set. The formulas are Keras 3's; src/optimizers/learning-rate.ts writes
// the numbers and has the same formulas for the host.
#pragma once

#include "math.h"

namespace selfnorm::SN_BUILD {

// What the first number of a schedule means; its arguments follow. The order is part of the contract with TypeScript.
enum class Schedule { kConstant = 0, kExponential, kCosine, kPiecewise, kPolynomial, kInverseTime };

// Arguments: initial rate, steps, rate of decay, 1 for a staircase.
SN_HD double exponential_decay(const double* a, double step) {
  const double periods = step / a[1];
  return a[0] * math::pow(a[2], a[3] != 0 ? math::floor(periods) : periods);
}

// Arguments: initial rate, steps, rate of decay, 1 for a staircase.
SN_HD double inverse_time_decay(const double* a, double step) {
  const double periods = step / a[1];
  return a[0] / (1 + a[2] * (a[3] != 0 ? math::floor(periods) : periods));
}

// Arguments: initial rate, steps, share of the rate that stays, target of the warm-up, its steps, 1 for a warm-up.
SN_HD double cosine_decay(const double* a, double step) {
  const bool warms = a[5] != 0;
  if (warms && step < a[4]) return a[0] + (a[3] - a[0]) * (step / a[4]);
  const double done = warms ? step - a[4] : step;
  const double share = 0.5 * (1 + math::cos_pi((done < a[1] ? done : a[1]) / a[1]));
  return (warms ? a[3] : a[0]) * ((1 - a[2]) * share + a[2]);
}

// Arguments: number of boundaries, the boundaries, one rate more than boundaries.
SN_HD double piecewise_constant(const double* a, double step) {
  const int boundaries = int(a[0]);
  int piece = 0;
  while (piece < boundaries && step > a[1 + piece]) ++piece;
  return a[1 + boundaries + piece];
}

// Arguments: initial rate, steps, final rate, power, 1 to begin again.
SN_HD double polynomial_decay(const double* a, double step) {
  const double periods = math::ceil(step / a[1]);
  const double length = a[4] != 0 && periods > 1 ? a[1] * periods : a[1];
  const double left = 1 - (step < length ? step : length) / length;
  return (a[0] - a[2]) * math::pow(left, a[3]) + a[2];
}

// The learning rate of the step after `step` steps.
SN_HD double learning_rate_at(const double* schedule, double step) {
  const double* const arguments = schedule + 1;
  switch (Schedule(int(schedule[0]))) {
    case Schedule::kExponential: return exponential_decay(arguments, step);
    case Schedule::kCosine: return cosine_decay(arguments, step);
    case Schedule::kPiecewise: return piecewise_constant(arguments, step);
    case Schedule::kPolynomial: return polynomial_decay(arguments, step);
    case Schedule::kInverseTime: return inverse_time_decay(arguments, step);
    default: return arguments[0];
  }
}

}  // namespace selfnorm::SN_BUILD
