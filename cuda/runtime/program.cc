#include "program.h"

#include <utility>

namespace selfnorm {
namespace {

// A stream in capture, which must be ended whatever happens: otherwise every later call on it fails.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    // Thread local: other threads of the process may allocate and free meanwhile.
    check_cuda(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  }
  ~Capture() {
    if (open_) end();
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  cudaGraph_t graph() {
    check_cuda(end(), "cudaStreamEndCapture");
    return graph_;
  }

 private:
  cudaError_t end() {
    open_ = false;
    return cudaStreamEndCapture(stream_, &graph_);
  }

  cudaStream_t stream_;
  cudaGraph_t graph_ = nullptr;
  bool open_ = true;
};

}  // namespace

Program::Program(Queue& queue, std::vector<RecordedCall> calls) : queue_(queue), calls_(std::move(calls)) {
  use_device(queue_.device());
  Capture capture(queue_.stream());
  for (RecordedCall& call : calls_) call(queue_);
  const cudaGraph_t graph = capture.graph();
  size_t nodes = 0;
  check_cuda(cudaGraphGetNodes(graph, nullptr, &nodes), "cudaGraphGetNodes");
  nodes_ = int64_t(nodes);
  check_cuda(cudaGraphInstantiate(&executable_, graph, 0), "cudaGraphInstantiate");
}

Program::~Program() {
  if (executable_ == nullptr) return;
  // A launch under way keeps what it needs.
  cudaSetDevice(queue_.device());
  cudaGraphExecDestroy(executable_);
}

void Program::replay(std::span<void* const>) {
  use_device(queue_.device());
  check_cuda(cudaGraphLaunch(executable_, queue_.stream()), "cudaGraphLaunch");
}

}  // namespace selfnorm
