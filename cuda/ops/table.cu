// Collects the ops of all families for this build flavour.
#include "table.h"

namespace selfnorm::SN_BUILD {

const OpTable& op_table() {
  static const OpTable table = [] {
    OpTable ops;
    add_activation_ops(ops);
    add_batch_norm_activation_ops(ops);
    add_bias_activation_ops(ops);
    add_binary_ops(ops);
    add_convolution_ops(ops);
    add_data_movement_ops(ops);
    add_dropout_ops(ops);
    add_elementwise_ops(ops);
    add_formula_ops(ops);
    add_gather_ops(ops);
    add_matmul_ops(ops);
    add_matmul_gradient_ops(ops);
    add_normalize_ops(ops);
    add_pooling_ops(ops);
    add_prelu_ops(ops);
    add_random_ops(ops);
    add_range_ops(ops);
    add_optimizer_ops(ops);
    add_reduction_ops(ops);
    add_scan_ops(ops);
    add_topk_ops(ops);
    add_softmax_ops(ops);
    add_unit_statistics_ops(ops);
    return ops;
  }();
  return table;
}

}  // namespace selfnorm::SN_BUILD
