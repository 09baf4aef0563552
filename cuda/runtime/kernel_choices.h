// The choices among engines that were made so far.
#pragma once

#include "../ops/kernel_choice.h"

namespace selfnorm {

std::vector<KernelChoice> kernel_choices();

}  // namespace selfnorm
