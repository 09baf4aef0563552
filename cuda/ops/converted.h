// Operands in another float dtype, for a library that does not compute in theirs.
#pragma once

#include "../kernels/elementwise.h"
#include "map.h"

namespace selfnorm::SN_BUILD {

inline void convert(Queue& queue, const View& from, const View& to) {
  dispatch_float(from.dtype, [&](auto from_tag) {
    using From = typename decltype(from_tag)::type;
    dispatch_float(to.dtype, [&](auto to_tag) {
      using To = typename decltype(to_tag)::type;
      launch_map(queue, from.size(), 1, Identity{}, to.as<To>(), from.as<const From>());
    });
  });
}

// A view's values in another dtype, in scratch memory.
class Converted {
 public:
  Converted(Queue& queue, const View& view, DType dtype)
      : scratch_(queue, size_t(view.size() * size_of(dtype))), view_(view) {
    view_.data = scratch_.as<void>();
    view_.dtype = dtype;
  }
  const View& view() const { return view_; }

 private:
  Scratch scratch_;
  View view_;
};

}  // namespace selfnorm::SN_BUILD
