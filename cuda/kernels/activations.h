// Every activation function: one functor each, its facts beside it, all of them listed in the one table at the end.
// Kernels, gradients, second derivatives, binding, layer names, tests and benches are made from that table.
//
// Comparisons are written so that NaN falls to the branch that computes with x. `derivative` gets what forward kept:
// the output where the formula allows (forward may then overwrite its input), else the input.
#pragma once

#include "dual.h"

namespace selfnorm {

enum class Saves { kInput, kOutput };

struct ActivationParameter {
  const char* name;
  double fallback;
  double minimum;  // values below it are refused: the derivative could not be told from the output
};

struct ActivationFacts {
  const char* name;
  Saves saves;
  int parameter_count = 0;
  ActivationParameter parameters[2] = {};
  int kink_count = 0;
  double kinks[2] = {};  // inputs where the derivative jumps; gradient checks keep away from them
};

}  // namespace selfnorm

namespace selfnorm::SN_BUILD {

struct Linear {
  static constexpr ActivationFacts kFacts{"linear", Saves::kOutput};
  SN_HD explicit Linear(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return x;
  }
  template <class A>
  SN_HD A derivative(A) const {
    return A(1);
  }
};

struct Relu {
  static constexpr ActivationFacts kFacts{"relu", Saves::kOutput, 0, {}, 1, {0}};
  SN_HD explicit Relu(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return x < A(0) ? A(0) : x;
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return y <= A(0) ? A(0) : A(1);
  }
};

struct Relu6 {
  static constexpr ActivationFacts kFacts{"relu6", Saves::kOutput, 0, {}, 2, {0, 6}};
  SN_HD explicit Relu6(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    const A capped = x > A(6) ? A(6) : x;
    return x < A(0) ? A(0) : capped;
  }
  template <class A>
  SN_HD A derivative(A y) const {
    const A below_cap = y >= A(6) ? A(0) : A(1);
    return y <= A(0) ? A(0) : below_cap;
  }
};

// Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models".
struct LeakyRelu {
  static constexpr ActivationFacts kFacts{"leakyRelu", Saves::kOutput, 1, {{"alpha", 0.2, 0}}, 1, {0}};
  double alpha;
  SN_HD explicit LeakyRelu(const double* parameters) : alpha(parameters[0]) {}
  template <class A>
  SN_HD A forward(A x) const {
    return x > A(0) ? x : A(alpha) * x;
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return y > A(0) ? A(1) : A(alpha);
  }
};

// Clevert et al. 2016, "Fast and accurate deep network learning by exponential linear units".
struct Elu {
  static constexpr ActivationFacts kFacts{"elu", Saves::kOutput, 1, {{"alpha", 1, 0}}, 1, {0}};
  double alpha;
  SN_HD explicit Elu(const double* parameters) : alpha(parameters[0]) {}
  template <class A>
  SN_HD A forward(A x) const {
    const A negative = A(alpha) * math::expm1(x > A(0) ? A(0) : x);
    return x > A(0) ? x : negative;
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return y > A(0) ? A(1) : y + A(alpha);
  }
};

// Klambauer et al. 2017, "Self-normalizing neural networks". y > 0 exactly where x > 0, so the derivative needs only
// the output.
struct Selu {
  static constexpr ActivationFacts kFacts{
      "selu", Saves::kOutput, 2, {{"alpha", 1.6732632423543772848, 0}, {"scale", 1.0507009873554804934, 0}}, 1, {0}};
  double alpha, scale;
  SN_HD explicit Selu(const double* parameters) : alpha(parameters[0]), scale(parameters[1]) {}
  template <class A>
  SN_HD A forward(A x) const {
    const A negative = A(scale * alpha) * math::expm1(x > A(0) ? A(0) : x);
    return x > A(0) ? A(scale) * x : negative;
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return y > A(0) ? A(scale) : y + A(scale * alpha);
  }
};

// Barron 2017, "Continuously differentiable exponential linear units".
struct Celu {
  static constexpr ActivationFacts kFacts{"celu", Saves::kOutput, 1, {{"alpha", 1, 1e-30}}};
  double alpha;
  SN_HD explicit Celu(const double* parameters) : alpha(parameters[0]) {}
  template <class A>
  SN_HD A forward(A x) const {
    const A negative = A(alpha) * math::expm1((x > A(0) ? A(0) : x) / A(alpha));
    return x > A(0) ? x : negative;
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return y > A(0) ? A(1) : y / A(alpha) + A(1);
  }
};

// log(1 + exp(beta x)) / beta. Its slope sigmoid(beta x) is 1 - exp(-beta y).
struct Softplus {
  static constexpr ActivationFacts kFacts{"softplus", Saves::kOutput, 1, {{"beta", 1, 1e-30}}};
  double beta;
  SN_HD explicit Softplus(const double* parameters) : beta(parameters[0]) {}
  template <class A>
  SN_HD A forward(A x) const {
    return math::softplus1(A(beta) * x) / A(beta);
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return -math::expm1(A(-beta) * y);
  }
};

struct Sigmoid {
  static constexpr ActivationFacts kFacts{"sigmoid", Saves::kOutput};
  SN_HD explicit Sigmoid(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return math::sigmoid(x);
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return y * (A(1) - y);
  }
};

// relu6(x + 3) / 6, as Keras 3.
struct HardSigmoid {
  static constexpr ActivationFacts kFacts{"hardSigmoid", Saves::kOutput, 0, {}, 2, {-3, 3}};
  SN_HD explicit HardSigmoid(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    const A line = (x + A(3)) * A(1.0 / 6);
    const A capped = x >= A(3) ? A(1) : line;
    return x <= A(-3) ? A(0) : capped;
  }
  template <class A>
  SN_HD A derivative(A y) const {
    const A below_cap = y >= A(1) ? A(0) : A(1.0 / 6);
    return y <= A(0) ? A(0) : below_cap;
  }
};

struct Tanh {
  static constexpr ActivationFacts kFacts{"tanh", Saves::kOutput};
  SN_HD explicit Tanh(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return math::tanh(x);
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return (A(1) - y) * (A(1) + y);
  }
};

// x / (1 + |x|); its slope is (1 - |y|)^2.
struct Softsign {
  static constexpr ActivationFacts kFacts{"softsign", Saves::kOutput};
  SN_HD explicit Softsign(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return x / (A(1) + math::abs(x));
  }
  template <class A>
  SN_HD A derivative(A y) const {
    const A rest = A(1) - math::abs(y);
    return rest * rest;
  }
};

// Hendrycks & Gimpel 2016, "Gaussian error linear units": x Phi(x).
struct Gelu {
  static constexpr ActivationFacts kFacts{"gelu", Saves::kInput};
  SN_HD explicit Gelu(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return x * math::normal_cdf(x);
  }
  template <class A>
  SN_HD A derivative(A x) const {
    const auto [cdf, density] = math::normal(x);
    return cdf + x * density;
  }
};

// GELU's tanh form: 0.5 x (1 + tanh(u)), u = sqrt(2/pi) (x + 0.044715 x^3), which is x sigmoid(2u).
struct GeluTanh {
  static constexpr ActivationFacts kFacts{"geluTanh", Saves::kInput};
  static constexpr double kSlope = 1.5957691216057307117, kCubic = 0.044715;
  SN_HD explicit GeluTanh(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return x * math::sigmoid(A(kSlope) * (x + A(kCubic) * x * x * x));
  }
  template <class A>
  SN_HD A derivative(A x) const {
    // Beyond 64 the gate is 0 or 1 and its slope 0 in every type, where x^2 might be infinite: 0 times that is no
    // number.
    const A floor = x < A(-64) ? A(-64) : x, near = x > A(64) ? A(64) : floor;
    const A inner = A(kSlope) * (near + A(kCubic) * near * near * near);
    const A gate = math::sigmoid(inner);
    return gate + near * gate * math::sigmoid(-inner) * A(kSlope) * (A(1) + A(3 * kCubic) * near * near);
  }
};

// x sigmoid(x), also called swish (Elfwing et al. 2017; Ramachandran et al. 2017).
struct Silu {
  static constexpr ActivationFacts kFacts{"silu", Saves::kInput};
  SN_HD explicit Silu(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return x * math::sigmoid(x);
  }
  template <class A>
  SN_HD A derivative(A x) const {
    const A gate = math::sigmoid(x);
    return gate + x * gate * math::sigmoid(-x);
  }
};

// Misra 2019, "Mish: a self regularized non-monotonic activation function": x tanh(softplus(x)). With s = sigmoid(x)
// and q = sigmoid(-x) the tanh is s (1 + q) / (1 + q^2), which loses no digits where it is near 0 or near 1.
struct Mish {
  static constexpr ActivationFacts kFacts{"mish", Saves::kInput};
  SN_HD explicit Mish(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    const A q = math::sigmoid(-x);
    return x * math::sigmoid(x) * (A(1) + q) / (A(1) + q * q);
  }
  template <class A>
  SN_HD A derivative(A x) const {
    const A s = math::sigmoid(x), q = math::sigmoid(-x), reciprocal = A(1) / (A(1) + q * q);
    // x last: four times a large x is infinite, and 0 times that no number.
    return s * (A(1) + q) * reciprocal + A(4) * q * q * s * reciprocal * reciprocal * x;
  }
};

// x relu6(x + 3) / 6 (Howard et al. 2019, "Searching for MobileNetV3").
struct HardSwish {
  static constexpr ActivationFacts kFacts{"hardSwish", Saves::kInput, 0, {}, 2, {-3, 3}};
  SN_HD explicit HardSwish(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    const A middle = x * (x + A(3)) * A(1.0 / 6);
    const A capped = x >= A(3) ? x : middle;
    return x <= A(-3) ? A(0) : capped;
  }
  template <class A>
  SN_HD A derivative(A x) const {
    const A middle = (A(2) * x + A(3)) * A(1.0 / 6);
    const A capped = x >= A(3) ? A(1) : middle;
    return x <= A(-3) ? A(0) : capped;
  }
};

template <class... Functors>
struct ActivationList {};

// log(sigmoid(x)) = -softplus(-x), whose slope sigmoid(-x) is 1 - exp(y).
struct LogSigmoid {
  static constexpr ActivationFacts kFacts{"logSigmoid", Saves::kOutput};
  SN_HD explicit LogSigmoid(const double*) {}
  template <class A>
  SN_HD A forward(A x) const {
    return -math::softplus1(-x);
  }
  template <class A>
  SN_HD A derivative(A y) const {
    return -math::expm1(y);
  }
};

// The table. Adding an activation: a functor above, its name here, and a documented function in src/ops/activations.ts.
using Activations = ActivationList<Linear, Relu, Relu6, LeakyRelu, Elu, Selu, Celu, Softplus, Sigmoid, HardSigmoid,
                                   Tanh, Softsign, Gelu, GeluTanh, Silu, Mish, HardSwish, LogSigmoid>;

}  // namespace selfnorm::SN_BUILD
