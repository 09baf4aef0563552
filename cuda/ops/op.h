// What an op is to the native side: a name and a function of one Call. Shapes, dtypes and argument ranges were
// validated by TypeScript, which made the output shapes; ops only look at them. Every op reaches the device through its
// queue.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "../kernels/activations.h"
#include "../kernels/storage.h"

namespace selfnorm {

class Queue;

inline constexpr int kMaxRank = 8;

// A failure that becomes a SelfnormError in JavaScript. `code` is one of the stable ERR_ names.
class Error : public std::runtime_error {
 public:
  Error(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;
};

// A contiguous row-major array on the queue's device. `data` is null for an optional input that was left out.
struct View {
  void* data = nullptr;
  DType dtype = DType::kFloat32;
  int rank = 0;
  int64_t dims[kMaxRank] = {};

  int64_t size() const {
    int64_t product = 1;
    for (int axis = 0; axis < rank; ++axis) product *= dims[axis];
    return product;
  }
  // Negative axes count from the end; an axis that is not there has size 1.
  int64_t dim(int axis) const {
    const int index = axis < 0 ? axis + rank : axis;
    return index < 0 || index >= rank ? 1 : dims[index];
  }
  bool present() const { return data != nullptr; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

// What came with a call. TypeScript decides how many; one that was built for another version gets an error, not a
// crash.
template <class T>
struct Arguments : std::span<const T> {
  using std::span<const T>::span;
  Arguments(std::span<const T> given) : std::span<const T>(given) {}

  const T& operator[](size_t index) const {
    if (index < this->size()) return this->data()[index];
    throw Error("ERR_INTERNAL",
                "argument " + std::to_string(index) + ": expected one, got " + std::to_string(this->size()) +
                    " arguments: the addon was built for another version; build it again: npx selfnorm build");
  }
};

struct Call {
  Queue& queue;
  Arguments<View> inputs;
  Arguments<View> outputs;
  Arguments<double> params;

  int64_t integer(size_t index) const { return static_cast<int64_t>(params[index]); }
};

using OpFunction = void (*)(const Call&);

struct OpEntry {
  std::string name;
  OpFunction run;
};

}  // namespace selfnorm
