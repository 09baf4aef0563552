// What a step does on a queue, noted while it runs: calls of ops, the memory each touches and for how long. From it a
// Program is made that does the same again.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/program.h"
#include "tensor_table.h"

namespace selfnorm {

class Recording {
 public:
  explicit Recording(Queue& queue);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Queue& queue() const { return queue_; }

  // A tensor that another takes the place of in each replay. False: it is a variable, or shares its memory with another
  // argument, and a copy has to be passed instead.
  bool argument(const TensorRow& row);
  // A storage that the recorded work makes.
  void made(const std::shared_ptr<Storage>& storage);
  // A call that has run. `storages` are those of the operands, null for one that was left out.
  void call(OpFunction run, std::span<const View> operands, std::span<const std::shared_ptr<Storage>> storages,
            size_t inputs, std::span<const double> params, ScratchPlan scratch);
  // Work that cannot be replayed; the first reason stays.
  void refuse(const std::string& reason);
  const std::string& refusal() const { return refusal_; }

  // Whether the recorded work made the tensor.
  bool makes(const TensorRow& row) const;

  // A tensor of the step's result, in a storage that comes with each replay.
  struct Output {
    size_t storage;  // number among them
    size_t offset;   // in bytes
    View view;
  };
  struct Result {
    std::unique_ptr<Program> program;
    std::shared_ptr<Storage> arena;
    std::vector<std::shared_ptr<Storage>> external;  // memory of others that the work uses
    std::vector<size_t> argument_bytes, output_bytes;
    std::vector<Output> outputs;
    std::vector<void*> places;  // of arguments and results in the arena, where Programs copy them; else empty
    size_t live_bytes = 0;
  };
  // Plans the memory and captures the Program. `outputs` are tensors that the recorded work made. Without a Program
  // there is a refusal.
  Result finish(std::span<const TensorRow* const> outputs);

 private:
  enum class Kind { kExternal, kArguments, kOwn, kOutput };
  struct Known {
    Kind kind;
    size_t bytes;
    size_t first, last;             // calls that use it
    std::shared_ptr<Storage> held;  // external ones
    std::weak_ptr<Storage> made;    // own ones
    size_t output = 0;
  };
  struct Argument {
    size_t storage, offset, bytes;
    size_t last;  // call that uses it
  };
  // What an operand is: an argument or a storage, and where in it; neither for one that was left out.
  struct Place {
    enum { kLeftOut, kArgument, kStorage } of;
    size_t index, offset;
  };
  struct Noted {
    RecordedCall call;
    std::vector<Place> places;  // of the operands
  };

  size_t known(const std::shared_ptr<Storage>& storage);
  Place place_of(const View& view, const std::shared_ptr<Storage>& storage);
  std::vector<Output> name_outputs(std::span<const TensorRow* const> outputs, std::vector<size_t>& bytes);
  bool keeps_own() const;

  Queue& queue_;
  uint64_t number_;
  std::vector<Known> storages_;
  std::vector<Noted> calls_;
  std::vector<Argument> arguments_;
  std::string refusal_;
};

}  // namespace selfnorm
