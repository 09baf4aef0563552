#include "recording.h"

#include <atomic>
#include <utility>

#include "arena.h"

namespace selfnorm {

Recording::Recording(Queue& queue) : queue_(queue) {
  static std::atomic<uint64_t> recordings{0};
  number_ = ++recordings;
}

Recording::~Recording() = default;

void Recording::refuse(const std::string& reason) {
  if (refusal_.empty()) refusal_ = reason;
}

// A storage carries its row, so that finding it costs nothing and an address that is used again is no confusion.
size_t Recording::known(const std::shared_ptr<Storage>& storage) {
  if (storage->recording != number_) {
    storage->recording = number_;
    storage->recorded_as = storages_.size();
    storages_.push_back({Kind::kExternal, storage->bytes, 0, 0, storage, {}});
  }
  return storage->recorded_as;
}

bool Recording::argument(const TensorRow& row) {
  if (row.storage->variable) return false;
  const size_t index = known(row.storage);
  const size_t offset = size_t(static_cast<char*>(row.view.data) - static_cast<char*>(row.storage->data));
  const size_t bytes = size_t(row.view.size() * size_of(row.view.dtype));
  for (const Argument& other : arguments_) {
    const bool apart = offset + bytes <= other.offset || other.offset + other.bytes <= offset;
    if (other.storage == index && !apart) return false;
  }
  storages_[index].kind = Kind::kArguments;
  arguments_.push_back({index, offset, bytes, 0});
  return true;
}

void Recording::made(const std::shared_ptr<Storage>& storage) {
  Known& entry = storages_[known(storage)];
  entry.kind = Kind::kOwn;
  entry.held.reset();
  entry.made = storage;
  entry.first = entry.last = calls_.size();
}

Recording::Place Recording::place_of(const View& view, const std::shared_ptr<Storage>& storage) {
  if (!storage) return {Place::kLeftOut, 0, 0};
  const size_t index = known(storage);
  Known& entry = storages_[index];
  const size_t offset = size_t(static_cast<char*>(view.data) - static_cast<char*>(storage->data));
  if (entry.kind != Kind::kArguments) {
    entry.last = calls_.size();
    return {Place::kStorage, index, offset};
  }
  const size_t bytes = size_t(view.size() * size_of(view.dtype));
  for (size_t i = 0; i < arguments_.size(); ++i) {
    Argument& argument = arguments_[i];
    if (argument.storage == index && argument.offset <= offset && offset + bytes <= argument.offset + argument.bytes) {
      argument.last = calls_.size();
      return {Place::kArgument, i, offset - argument.offset};
    }
  }
  refuse("a tensor that shares its memory with an argument");
  return {Place::kLeftOut, 0, 0};
}

void Recording::call(OpFunction run, std::span<const View> operands, std::span<const std::shared_ptr<Storage>> storages,
                     size_t inputs, std::span<const double> params, ScratchPlan scratch) {
  Noted noted;
  noted.call.run = run;
  noted.call.operands.assign(operands.begin(), operands.end());
  noted.call.inputs = inputs;
  noted.call.params.assign(params.begin(), params.end());
  noted.call.scratch = std::move(scratch);
  for (size_t i = 0; i < operands.size(); ++i) noted.places.push_back(place_of(operands[i], storages[i]));
  calls_.push_back(std::move(noted));
}

bool Recording::makes(const TensorRow& row) const {
  return row.storage->recording == number_ && storages_[row.storage->recorded_as].kind == Kind::kOwn;
}

// Tensors that outlive the step would keep the values of the step that was recorded.
bool Recording::keeps_own() const {
  for (const Known& entry : storages_) {
    const std::shared_ptr<Storage> storage = entry.kind == Kind::kOwn ? entry.made.lock() : nullptr;
    if (storage && storage->rows > 0) return true;
  }
  return false;
}

std::vector<Recording::Output> Recording::name_outputs(std::span<const TensorRow* const> outputs,
                                                       std::vector<size_t>& bytes) {
  std::vector<Output> named;
  for (const TensorRow* const row : outputs) {
    Known& entry = storages_[row->storage->recorded_as];
    if (entry.kind == Kind::kOwn) {
      entry.kind = Kind::kOutput;
      entry.output = bytes.size();
      entry.last = calls_.size();
      bytes.push_back(entry.bytes);
    }
    const auto offset = static_cast<char*>(row->view.data) - static_cast<char*>(row->storage->data);
    named.push_back({entry.output, size_t(offset), row->view});
  }
  return named;
}

Recording::Result Recording::finish(std::span<const TensorRow* const> outputs) {
  Result result;
  for (const Argument& argument : arguments_) result.argument_bytes.push_back(argument.bytes);
  result.outputs = name_outputs(outputs, result.output_bytes);
  if (keeps_own()) refuse("a tensor that one call keeps for the next, which has to be a variable made before");
  if (!refusal_.empty()) return result;

  // Pieces of the arena: own storages, memory that ops take between launches, and where Programs copy them arguments,
  // there from the start, and results, there to the end.
  constexpr bool kCopies = !Program::kBindsArguments;
  std::vector<Lifetime> pieces;
  std::vector<size_t> storage_piece(storages_.size(), 0);
  for (size_t i = 0; i < storages_.size(); ++i) {
    const Known& entry = storages_[i];
    if (entry.kind == Kind::kExternal) result.external.push_back(entry.held);
    if (entry.kind != Kind::kOwn && !(kCopies && entry.kind == Kind::kOutput)) continue;
    storage_piece[i] = pieces.size();
    pieces.push_back({entry.bytes, entry.first, entry.last});
  }
  const size_t first_argument = pieces.size();
  if (kCopies) {
    for (const Argument& argument : arguments_) pieces.push_back({argument.bytes, 0, argument.last});
  }
  size_t scratch_piece = pieces.size();
  for (size_t i = 0; i < calls_.size(); ++i) {
    for (const size_t bytes : calls_[i].call.scratch.sizes()) pieces.push_back({bytes, i, i});
  }
  const ArenaPlan plan = plan_arena(pieces, Program::kAlignment);
  result.live_bytes = plan.live;
  result.arena = std::make_shared<Storage>(&queue_, plan.bytes);
  char* const base = static_cast<char*>(result.arena->data);
  const auto piece_at = [&](size_t piece) { return base + plan.offsets[piece]; };
  if (kCopies) {
    for (size_t i = 0; i < arguments_.size(); ++i) result.places.push_back(piece_at(first_argument + i));
    result.places.resize(arguments_.size() + result.output_bytes.size());
    for (size_t i = 0; i < storages_.size(); ++i) {
      if (storages_[i].kind != Kind::kOutput) continue;
      result.places[arguments_.size() + storages_[i].output] = piece_at(storage_piece[i]);
    }
  }

  std::vector<RecordedCall> calls;
  for (Noted& noted : calls_) {
    RecordedCall& call = noted.call;
    for (size_t i = 0; i < noted.places.size(); ++i) {
      const Place& place = noted.places[i];
      if (place.of == Place::kLeftOut) continue;
      const bool argument = place.of == Place::kArgument;
      if (!argument && storages_[place.index].kind == Kind::kExternal) continue;
      const bool bound = argument || storages_[place.index].kind == Kind::kOutput;
      if (bound && Program::kBindsArguments) {
        const size_t number = argument ? place.index : arguments_.size() + storages_[place.index].output;
        call.bindings.push_back({i, number, place.offset});
      } else {
        const size_t piece = argument ? first_argument + place.index : storage_piece[place.index];
        call.operands[i].data = piece_at(piece) + place.offset;
      }
    }
    std::vector<void*> places;
    for (size_t i = 0; i < call.scratch.sizes().size(); ++i) places.push_back(piece_at(scratch_piece++));
    call.scratch.put(std::move(places));
    calls.push_back(std::move(call));
  }
  result.program = std::make_unique<Program>(queue_, std::move(calls));
  return result;
}

}  // namespace selfnorm
