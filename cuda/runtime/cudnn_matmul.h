// Matrix products with what follows them in one kernel of cuDNN: forward with bias and activation, and backward with
// the derivative of the layer below.
#pragma once

#include "../ops/matmul_problem.h"
#include "queue.h"

namespace selfnorm {

// Whether cuDNN has a plan for y = f(a b + bias) on this device; `problem` says whether there is a bias and gives f's
// parameters. With `keeps_pre`, a b + bias is stored too. The first time, a kernel is compiled: that takes up to
// seconds.
bool cudnn_matmul_fuses(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, bool keeps_pre);

// Runs it; `bias` and `pre` are null unless the problem has them. False: there is no plan, and nothing was done.
bool cudnn_matmul(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, const void* a,
                  const void* b, const void* bias, void* y, void* pre);

// Whether it has one for y = (a b) * f'(saved), and for that with `sums` of y's columns.
bool cudnn_matmul_differentiates(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, bool sums);

// y = (a b) * f'(saved): the gradient that a layer hands on, already through the activation f of the layer below, whose
// output or input, as `facts` say, is `saved`. With `sums` (float32 [n], zeroed by the caller) the columns of y, which
// are that layer's bias gradient, are added to it in the same kernel: by atomics, so the last bits differ from run to
// run. False: there is no plan, and nothing was done.
bool cudnn_matmul_derivative(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, const void* a,
                             const void* b, const void* saved, void* y, float* sums);

}  // namespace selfnorm
