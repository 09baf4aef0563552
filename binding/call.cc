// The hot path: one entry for every op. The frame holds
//   [inputs, outputs, params, input ids..., outputs..., params...]
// where an input id of 0 is an optional input left out, and an output is either [id] of a tensor to overwrite or
// [0, dtype, rank, dims...] of a new one. Ids of new tensors are written to the start of the frame.
#include <algorithm>
#include <array>

#include "instance.h"

namespace selfnorm {
namespace {

constexpr int kMaxOperands = 512;

class FrameReader {
 public:
  explicit FrameReader(const double* frame) : next_(frame), end_(frame + kFrameLength) {}

  double number() {
    if (next_ == end_) throw Error("ERR_ARGUMENT", "native op: arguments: expected them to fit the frame");
    return *next_++;
  }
  int count(int limit) {
    const double value = number();
    if (!(value >= 0 && value <= limit)) {
      throw Error("ERR_ARGUMENT",
                  "native op: count: expected at most " + std::to_string(limit) + ", got " + std::to_string(value));
    }
    return int(value);
  }
  std::span<const double> numbers(int count) {
    if (end_ - next_ < count) throw Error("ERR_ARGUMENT", "native op: arguments: expected them to fit the frame");
    const double* const first = next_;
    next_ += count;
    return {first, size_t(count)};
  }
  View view() {
    constexpr double kMaxElements = 9007199254740992.0;
    View view;
    view.dtype = DType(count(int(DType::kBool)));
    view.rank = count(kMaxRank);
    double elements = 1;
    for (int axis = 0; axis < view.rank; ++axis) {
      const double size = number();
      elements *= std::max(size, 1.0);
      if (!(size >= 0 && elements < kMaxElements)) {
        throw Error("ERR_SHAPE", "native op: shape: expected sizes of at least 0 and less than 2^53 elements");
      }
      view.dims[axis] = int64_t(size);
    }
    return view;
  }

 private:
  const double* next_;
  const double* end_;
};

[[noreturn]] void throw_disposed(int operand) {
  throw Error("ERR_DISPOSED", "argument " + std::to_string(operand) +
                                  ": expected a live tensor, got one that was disposed; use keep() or clone() if it is "
                                  "needed after tidy() or dispose()");
}

size_t bytes_of(const View& view) { return size_t(view.size() * size_of(view.dtype)); }

std::shared_ptr<Storage> new_storage(Instance& instance, Queue& queue, const View& view) {
  const size_t bytes = bytes_of(view);
  instance.tensors.before_allocation(bytes);
  return std::make_shared<Storage>(&queue, bytes);
}

// An optimizer or assign() writes here. A storage that others view must not change under them: they keep the old one.
// A variable's is never viewed, and must stay where recorded work finds it; reads of it under way have their bytes.
// True: it got memory of its own.
bool make_writable(Instance& instance, TensorRow& row) {
  if (row.storage->variable || row.storage.use_count() == 1) return false;
  auto own = new_storage(instance, *row.storage->queue, row.view);
  own->queue->copy(own->data, row.view.data, bytes_of(row.view));
  own->variable = true;
  instance.tensors.replace_storage(row, std::move(own));
  return true;
}

struct NewTensor {
  int position;
  std::shared_ptr<Storage> storage;
  View view;
};

// Notes a call that has run. `outputs` are those that were there before, in place of which new ones are null.
void record_call(Recording& recording, OpFunction run, std::span<const View> views,
                 std::vector<std::shared_ptr<Storage>> storages, std::span<const NewTensor> made, int inputs,
                 std::span<const double> params, ScratchPlan scratch) {
  for (const NewTensor& output : made) {
    recording.made(output.storage);
    storages[size_t(inputs + output.position)] = output.storage;
  }
  recording.call(run, views, storages, size_t(inputs), params, std::move(scratch));
}

void copy_operand(const Call& call) {
  call.queue.copy(call.outputs[0].data, call.inputs[0].data, bytes_of(call.inputs[0]));
}

}  // namespace

napi_value call_op(napi_env env, napi_callback_info info) {
  constexpr size_t kFixed = 2;
  napi_value arguments[kFixed + 8];
  size_t count = kFixed + 8;
  Instance& instance = instance_of(env);
  try {
    napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
    uint32_t queue_index = 0, op_index = 0;
    napi_get_value_uint32(env, arguments[0], &queue_index);
    napi_get_value_uint32(env, arguments[1], &op_index);
    const auto& ops = Queue::ops().ops;
    if (queue_index >= instance.queues.size() || op_index >= ops.size()) {
      throw Error("ERR_ARGUMENT", "native op: expected a known queue and op");
    }
    Queue& queue = *instance.queues[queue_index];

    FrameReader frame(instance.frame);
    const int input_count = frame.count(kMaxOperands), output_count = frame.count(kMaxOperands);
    const int param_count = frame.count(int(kFrameLength));
    View stack_views[16];
    std::vector<View> heap_views;
    if (input_count + output_count > 16) heap_views.resize(size_t(input_count + output_count));
    View* const views = heap_views.empty() ? stack_views : heap_views.data();

    Recording* const recording = instance.recording.get();
    std::vector<std::shared_ptr<Storage>> storages(recording ? size_t(input_count + output_count) : 0);
    if (recording && &recording->queue() != &queue) recording->refuse("ops run on more than one device");

    for (int i = 0; i < input_count; ++i) {
      const double id = frame.number();
      if (id == 0) continue;
      const TensorRow* const row = instance.tensors.find(id);
      if (row == nullptr) throw_disposed(i);
      if (row->storage->queue != &queue) throw Error("ERR_DEVICE", "native op: expected all tensors on one device");
      views[i] = row->view;
      if (recording) storages[size_t(i)] = row->storage;
    }
    NewTensor made[8];
    int made_count = 0;
    for (int i = 0; i < output_count; ++i) {
      View& view = views[input_count + i];
      const double id = frame.number();
      if (id != 0) {
        TensorRow* const row = instance.tensors.find(id);
        if (row == nullptr) throw_disposed(input_count + i);
        if (row->storage->queue != &queue) throw Error("ERR_DEVICE", "native op: expected all tensors on one device");
        if (make_writable(instance, *row) && recording) recording->refuse("a tensor is written that others share");
        // The op may also read it: an input of the same id must see the storage that is written.
        view = row->view;
        if (recording) storages[size_t(input_count + i)] = row->storage;
        continue;
      }
      view = frame.view();
      if (made_count == 8 || kFixed + size_t(made_count) >= count) {
        throw Error("ERR_ARGUMENT", "native op: expected an object for every new tensor");
      }
      auto storage = new_storage(instance, queue, view);
      view.data = storage->data;
      made[made_count++] = {i, std::move(storage), view};
    }
    const Call call{
        queue, {views, size_t(input_count)}, {views + input_count, size_t(output_count)}, frame.numbers(param_count)};
    if (recording) {
      ScratchPlan scratch;
      {
        const ScratchScope scope(scratch);
        ops[op_index].run(call);
      }
      record_call(*recording, ops[op_index].run, {views, size_t(input_count + output_count)}, std::move(storages),
                  {made, size_t(made_count)}, input_count, call.params, std::move(scratch));
    } else {
      ops[op_index].run(call);
    }
    for (int i = 0; i < made_count; ++i) {
      instance.frame[i] = instance.tensors.add(arguments[kFixed + size_t(i)], std::move(made[i].storage), made[i].view);
    }
  } catch (...) {
    throw_to_javascript(env);
  }
  return nullptr;
}

// alias(object): frame [id, offset in elements, dtype, rank, dims...] -> [id]. Shares the storage, unless it belongs to
// a variable: that one changes in place, and the view must not change with it.
napi_value alias_tensor(napi_env env, napi_callback_info info) {
  napi_value object;
  size_t count = 1;
  Instance& instance = instance_of(env);
  try {
    napi_get_cb_info(env, info, &count, &object, nullptr, nullptr);
    FrameReader frame(instance.frame);
    const double id = frame.number(), offset = frame.number();
    View view = frame.view();
    const TensorRow* const source = instance.tensors.find(id);
    if (source == nullptr) throw_disposed(0);
    if (view.dtype != source->view.dtype ||
        !(offset >= 0 && offset + double(view.size()) <= double(source->view.size()))) {
      throw Error("ERR_SHAPE", "native view: expected it to lie inside its tensor");
    }
    char* const data = static_cast<char*>(source->view.data) + int64_t(offset) * size_of(view.dtype);
    std::shared_ptr<Storage> storage = source->storage;
    if (storage->variable) {
      Queue& queue = *storage->queue;
      storage = new_storage(instance, queue, view);
      // new_storage may sweep, never the source: its object is alive in the caller's hands.
      queue.copy(storage->data, data, bytes_of(view));
      View from = view;
      from.data = data;
      view.data = storage->data;
      if (instance.recording) {
        instance.recording->made(storage);
        instance.recording->call(copy_operand, std::array{from, view}, std::array{source->storage, storage}, 1, {}, {});
      }
    } else {
      view.data = data;
    }
    instance.frame[0] = instance.tensors.add(object, std::move(storage), view);
  } catch (...) {
    throw_to_javascript(env);
  }
  return nullptr;
}

napi_value dispose_tensor(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  double id = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_double(env, argument, &id);
  instance_of(env).tensors.remove(id);
  return nullptr;
}

}  // namespace selfnorm
