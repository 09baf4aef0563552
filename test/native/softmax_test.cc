// Softmax and cross-entropy in the emulator against loops in double: short rows (a thread each) and long ones (a
// block).
#include "op_harness.h"

namespace selfnorm::test {
namespace {

const double kNan = std::nan("");
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Size {
  int64_t rows, width;
};
const Size kSizes[] = {{0, 3}, {1, 1}, {3, 1}, {5, 7}, {37, 10}, {2, 64}, {2, 65}, {3, 301}};
const DType kFloats[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16};

double log_sum_exp(const double* x, int64_t n) {
  double largest = -kInfinity, sum = 0;
  for (int64_t i = 0; i < n; ++i) largest = std::max(largest, x[i]);
  for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i] - largest);
  return largest + std::log(sum);
}

TEST(Softmax, ForwardAgreesWithDouble) {
  for (const DType dtype : kFloats) {
    for (const auto [rows, width] : kSizes) {
      const Array x(dtype, {rows, width}, random_values(rows * width, -8, 8));
      const Values values = x.values();
      Values shares(values.size()), logs(values.size());
      for (int64_t row = 0; row < rows; ++row) {
        const double total = log_sum_exp(&values[size_t(row * width)], width);
        for (int64_t i = row * width; i < (row + 1) * width; ++i) {
          logs[size_t(i)] = values[size_t(i)] - total;
          shares[size_t(i)] = std::exp(logs[size_t(i)]);
        }
      }
      check_op("softmax", {&x}, {{dtype, {rows, width}, shares}}, {}, kReduction);
      check_op("logSoftmax", {&x}, {{dtype, {rows, width}, logs}}, {}, kReduction);
    }
  }
}

TEST(Softmax, BackwardAgreesWithDouble) {
  for (const DType dtype : kFloats) {
    for (const auto [rows, width] : kSizes) {
      const Array y(dtype, {rows, width}, random_values(rows * width, 0, 2.0 / double(width)));
      const Array log_y(dtype, {rows, width}, random_values(rows * width, -4, 0));
      const Array dy(dtype, {rows, width}, random_values(rows * width, -1, 1, 2));
      const Values of = y.values(), log_of = log_y.values(), gradient = dy.values();
      Values dx(of.size()), log_dx(of.size());
      for (int64_t row = 0; row < rows; ++row) {
        double product = 0, sum = 0;
        for (size_t i = size_t(row * width); i < size_t((row + 1) * width); ++i) {
          product += gradient[i] * of[i];
          sum += gradient[i];
        }
        for (size_t i = size_t(row * width); i < size_t((row + 1) * width); ++i) {
          dx[i] = of[i] * (gradient[i] - product);
          log_dx[i] = gradient[i] - std::exp(log_of[i]) * sum;
        }
      }
      check_op("softmax/backward", {&dy, &y}, {{dtype, {rows, width}, dx}}, {}, kComposite);
      check_op("logSoftmax/backward", {&dy, &log_y}, {{dtype, {rows, width}, log_dx}}, {}, kComposite);
    }
  }
}

TEST(Softmax, InfinityHasNoShareAndNanSpoilsItsRowOnly) {
  for (const int64_t width : {4, 80}) {
    Values x(size_t(3 * width), 0.0), y(size_t(3 * width), 1.0 / double(width - 1));
    x[1] = -kInfinity;
    y[1] = 0;
    for (int64_t i = 0; i < width; ++i) {
      y[size_t(width + i)] = kNan;
      y[size_t(2 * width + i)] = 1.0 / double(width);
    }
    x[size_t(width + 2)] = kNan;
    const Array input = f32({3, width}, x);
    check_op("softmax", {&input}, {{DType::kFloat32, {3, width}, y}}, {}, kReduction);
  }
}

DType loss_dtype(DType dtype) { return dtype == DType::kFloat64 ? dtype : DType::kFloat32; }

// Where labels are largest, the first of equal ones.
Values classes_of(const Values& labels, int64_t rows, int64_t width) {
  Values classes;
  for (int64_t row = 0; row < rows; ++row) {
    const auto begin = labels.begin() + row * width;
    classes.push_back(double(std::max_element(begin, begin + width) - begin));
  }
  return classes;
}

// The place of each row's class among the scores: twice the larger ones, and whether equal ones come before. The
// largest int32 where there is no such class, or its score is NaN.
Values ranks_of(const Values& scores, const Values& classes, int64_t width) {
  Values ranks;
  for (size_t row = 0; row < classes.size(); ++row) {
    const double* const x = scores.data() + row * size_t(width);
    const int64_t own = int64_t(classes[row]);
    int64_t above = 0, ties = 0;
    const bool known = own >= 0 && own < width && !std::isnan(x[own]);
    for (int64_t i = 0; known && i < width; ++i) {
      if (std::isnan(x[i]) || x[i] > x[own]) ++above;
      if (x[i] == x[own] && i < own) ties = 1;
    }
    ranks.push_back(known ? double(2 * above + ties) : double(std::numeric_limits<int32_t>::max()));
  }
  return ranks;
}

TEST(Softmax, RanksCountLargerScoresAndTellTiesAndNan) {
  for (const DType dtype : kFloats) {
    for (const auto [rows, width] : kSizes) {
      // Few values, so that many are equal; now and then NaN.
      Values values = random_values(rows * width, -3, 3);
      for (double& value : values) value = std::abs(value) > 2.9 ? kNan : std::round(value);
      const Array x(dtype, {rows, width}, values);
      Values labels = random_values(rows * width, 0, 4, 2), numbers;
      for (double& label : labels) label = std::round(label);
      for (int64_t row = 0; row < rows; ++row) {
        numbers.push_back(row % 5 == 3 ? -1.0 : row % 5 == 4 ? double(width) : double(row * 7 % width));
      }
      const Array dense(dtype, {rows, width}, labels), sparse = i32({rows}, numbers);
      const Expected of_dense{DType::kInt32, {rows}, ranks_of(values, classes_of(labels, rows, width), width)};
      check_op("classRanks", {&x, &dense}, {of_dense}, {}, kElementwise);
      check_op("sparseClassRanks", {&x, &sparse}, {{DType::kInt32, {rows}, ranks_of(values, numbers, width)}}, {},
               kElementwise);
    }
  }
}

TEST(Softmax, CrossEntropyGivesLossAndGradient) {
  for (const DType dtype : kFloats) {
    for (const auto [rows, width] : kSizes) {
      for (const double smoothing : {0.0, 0.25}) {
        const Array x(dtype, {rows, width}, random_values(rows * width, -4, 4));
        const Array labels(dtype, {rows, width}, random_values(rows * width, 0, 1, 2));
        const Values values = x.values(), given = labels.values();
        Values loss(size_t(rows), 0.0), gradient(values.size());
        for (int64_t row = 0; row < rows; ++row) {
          const double total = log_sum_exp(&values[size_t(row * width)], width);
          double sum = 0;
          for (size_t i = size_t(row * width); i < size_t((row + 1) * width); ++i) {
            const double target = given[i] * (1 - smoothing) + smoothing / double(width);
            sum += target;
            loss[size_t(row)] += target * (total - values[i]);
          }
          for (size_t i = size_t(row * width); i < size_t((row + 1) * width); ++i) {
            const double target = given[i] * (1 - smoothing) + smoothing / double(width);
            gradient[i] = std::exp(values[i] - total) * sum - target;
          }
        }
        const Expected losses{loss_dtype(dtype), {rows}, loss};
        const Expected gradients{dtype, {rows, width}, gradient};
        const Expected ranks{DType::kInt32, {rows}, ranks_of(values, classes_of(given, rows, width), width)};
        check_op("softmaxCrossEntropy", {&x, &labels}, {losses}, {smoothing, 0}, kComposite);
        check_op("softmaxCrossEntropy", {&x, &labels}, {losses, gradients}, {smoothing, 0}, kComposite);
        check_op("softmaxCrossEntropy", {&x, &labels}, {losses, ranks}, {smoothing, 1}, kComposite);
        check_op("softmaxCrossEntropy", {&x, &labels}, {losses, gradients, ranks}, {smoothing, 1}, kComposite);
      }
    }
  }
}

TEST(Softmax, SparseCrossEntropyGivesLossAndGradientAndNanOutOfRange) {
  for (const DType dtype : kFloats) {
    for (const auto [rows, width] : kSizes) {
      const Array x(dtype, {rows, width}, random_values(rows * width, -4, 4));
      const Values values = x.values();
      Values numbers(size_t(rows), 0.0), loss(size_t(rows), 0.0), gradient(values.size());
      for (int64_t row = 0; row < rows; ++row) {
        // Now and then one before the first class or behind the last.
        const int64_t label = row % 5 == 3 ? -1 : row % 5 == 4 ? width : row * 7 % width;
        const bool known = label >= 0 && label < width;
        numbers[size_t(row)] = double(label);
        const double total = log_sum_exp(&values[size_t(row * width)], width);
        loss[size_t(row)] = known ? total - values[size_t(row * width + label)] : kNan;
        for (int64_t i = 0; i < width; ++i) {
          const size_t at = size_t(row * width + i);
          gradient[at] = known ? std::exp(values[at] - total) - double(i == label) : kNan;
        }
      }
      const Array labels = i32({rows}, numbers);
      const Expected losses{loss_dtype(dtype), {rows}, loss};
      const Expected gradients{dtype, {rows, width}, gradient};
      const Expected ranks{DType::kInt32, {rows}, ranks_of(values, numbers, width)};
      check_op("sparseSoftmaxCrossEntropy", {&x, &labels}, {losses}, {0}, kComposite);
      check_op("sparseSoftmaxCrossEntropy", {&x, &labels}, {losses, gradients}, {0}, kComposite);
      check_op("sparseSoftmaxCrossEntropy", {&x, &labels}, {losses, ranks}, {1}, kComposite);
      check_op("sparseSoftmaxCrossEntropy", {&x, &labels}, {losses, gradients, ranks}, {1}, kComposite);
    }
  }
}

TEST(Softmax, ScaleRowsMultipliesEachRow) {
  for (const DType dtype : kFloats) {
    for (const auto [rows, width] : kSizes) {
      const Array x(dtype, {rows, width}, random_values(rows * width, -4, 4));
      const Array factors(loss_dtype(dtype), {rows}, random_values(rows, -2, 2, 2));
      Values expected = x.values();
      const Values by = factors.values();
      for (size_t i = 0; i < expected.size(); ++i) expected[i] *= by[i / size_t(width)];
      check_op("scaleRows", {&x, &factors}, {{dtype, {rows, width}, expected}}, {}, kElementwise);
    }
  }
}

}  // namespace
}  // namespace selfnorm::test
