// The op table of one build flavour: every family adds its rows here, and the binding looks names up once.
#pragma once

#include <vector>

#include "op.h"

namespace selfnorm {

struct OpTable {
  std::vector<OpEntry> ops;
  std::vector<ActivationFacts> activations;

  void add(std::initializer_list<OpEntry> rows) { ops.insert(ops.end(), rows); }
};

namespace SN_BUILD {

// One function a family, defined in the file of that name.
void add_activation_ops(OpTable& table);
void add_batch_norm_activation_ops(OpTable& table);
void add_bias_activation_ops(OpTable& table);
void add_binary_ops(OpTable& table);
void add_convolution_ops(OpTable& table);
void add_data_movement_ops(OpTable& table);
void add_dropout_ops(OpTable& table);
void add_elementwise_ops(OpTable& table);
void add_formula_ops(OpTable& table);
void add_gather_ops(OpTable& table);
void add_matmul_ops(OpTable& table);
void add_matmul_gradient_ops(OpTable& table);
void add_normalize_ops(OpTable& table);
void add_pooling_ops(OpTable& table);
void add_prelu_ops(OpTable& table);
void add_random_ops(OpTable& table);
void add_range_ops(OpTable& table);
void add_optimizer_ops(OpTable& table);
void add_reduction_ops(OpTable& table);
void add_scan_ops(OpTable& table);
void add_topk_ops(OpTable& table);
void add_softmax_ops(OpTable& table);
void add_unit_statistics_ops(OpTable& table);

// All ops of this flavour, made once.
const OpTable& op_table();

}  // namespace SN_BUILD
}  // namespace selfnorm
