// Makes every plan that the experiments need of cuDNN, for GPUs described by their properties: none has to be there.
// What comes out is held against a committed table, so that a fused kernel that disappears fails the test.
//   check_plans DEVICE TABLE [--full] [--write]
// Without --full, a part of the table that shows each kind of graph. --write makes the table's lines for this device
// anew.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "networks.h"
#include "runtime/cudnn_activation.h"
#include "runtime/cudnn_graphs.h"
#include "runtime/cudnn_plan_cache.h"

namespace {

using namespace selfnorm;
using namespace selfnorm::cudnn;

struct Device {
  const char* name;  // in the table
  const char* full_name;
  int capability, multiprocessors;
  int64_t shared_memory, l2_cache, memory;
  int clock, memory_clock;  // kHz
};

// As cudaGetDeviceProperties gives them.
constexpr Device kDevices[] = {
    {"h200", "NVIDIA H200", 900, 132, 232448, 62914560, 150754820096, 1980000, 3201000},
    {"a100", "NVIDIA A100-SXM4-80GB", 800, 108, 166912, 41943040, 85100000000, 1410000, 1593000},
};

// The keys are those that cuDNN reads and that its plans carry.
std::string properties_json(const Device& device) {
  char text[2048];
  std::snprintf(
      text, sizeof(text),
      "{\"deviceName\":\"%s\",\"smCountOrigin\":0,\"cudaDeviceId\":0,\"deviceVer\":%d,\"driverVer\":13000,"
      "\"isTccDriver\":0,\"l2CacheSize\":%lld,\"maxBlockSize\":[1024,1024,64],\"maxCtasPerSM\":32,"
      "\"maxGridSize\":[2147483647,65535,65535],\"maxRegistersPerSM\":65536,\"maxSharedMemoryPerBlock\":49152,"
      "\"maxSharedMemoryPerBlockOptin\":%lld,\"maxThreadsPerBlock\":1024,\"maxThreadsPerSM\":2048,"
      "\"memClockRateKHz\":%d,\"multiProcessorCount\":%d,\"pciDeviceId\":0,\"regsPerBlock\":65536,"
      "\"reservedSharedMemoryPerBlock\":1024,\"smClockRateKHz\":%d,\"supportCoopLaunch\":1,\"totalGlobalMem\":%lld,"
      "\"warpSize\":32}",
      device.full_name, device.capability, static_cast<long long>(device.l2_cache),
      static_cast<long long>(device.shared_memory), device.memory_clock, device.multiprocessors, device.clock,
      static_cast<long long>(device.memory));
  return text;
}

template <class... Functors>
std::vector<ActivationFacts> facts_of(SN_BUILD::ActivationList<Functors...>) {
  return {Functors::kFacts...};
}

const ActivationFacts* facts_named(const std::string& name) {
  static const std::vector<ActivationFacts> all = facts_of(SN_BUILD::Activations{});
  for (const ActivationFacts& facts : all) {
    if (name == facts.name) return &facts;
  }
  throw Error("ERR_ARGUMENT", "no activation is named " + name);
}

struct Case {
  std::string name;
  bool quick;  // part of every run
  std::function<std::optional<FusedGraph>()> graph;
};

constexpr struct {
  DType dtype;
  const char* name;
} kTypes[] = {{DType::kFloat32, "float32"}, {DType::kBfloat16, "bfloat16"}, {DType::kFloat16, "float16"}};

// Parameters of their own, so that they cannot be taken for a default.
Epilogue epilogue_of(const ActivationFacts* activation, const ActivationFacts* derivative) {
  static const double kParameters[2] = {1.6732632423543772848, 1.0507009873554804934};
  Epilogue epilogue;
  epilogue.activation = activation;
  epilogue.derivative = derivative;
  epilogue.parameters = kParameters;
  return epilogue;
}

// A layer forward, with the activation's input stored where its gradient needs that, and the gradient of the layer
// below with that layer's derivative, with and without its bias's gradient.
void add_dense(std::vector<Case>& cases, const plans::Dense& layer, bool quick, DType dtype, const std::string& type) {
  const std::string sizes =
      std::to_string(layer.rows) + "x" + std::to_string(layer.inputs) + "x" + std::to_string(layer.units);
  const std::string name = type + " " + layer.network + " dense " + sizes + " ";
  MatmulProblem forward;
  forward.dtype = dtype;
  forward.has_bias = 1;
  forward.tensor_float32 = 1;
  forward.m = layer.rows;
  forward.k = layer.inputs;
  forward.n = layer.units;
  const ActivationFacts* const activation = facts_named(layer.activation);
  cases.push_back({name + "forward " + layer.activation, quick, [=] {
                     Epilogue epilogue = epilogue_of(activation, nullptr);
                     epilogue.bias = true;
                     epilogue.keeps_pre = activation->saves == Saves::kInput;
                     return matmul_graph(forward, epilogue, 16);
                   }});
  if (layer.below.empty()) return;
  MatmulProblem backward = forward;
  backward.has_bias = 0;
  backward.k = layer.units;
  backward.n = layer.inputs;
  backward.transpose_b = 1;
  const ActivationFacts* const below = facts_named(layer.below);
  for (const bool sums : {false, true}) {
    if (sums && layer.below == "linear") continue;
    cases.push_back({name + "gradient of " + layer.below + (sums ? " and bias" : ""), quick && !sums, [=] {
                       Epilogue epilogue = epilogue_of(nullptr, below);
                       epilogue.sums = sums;
                       return matmul_graph(backward, epilogue, 16);
                     }});
  }
}

void add_convolution(std::vector<Case>& cases, const plans::Convolution& layer, bool quick, DType dtype,
                     const std::string& type) {
  const std::string sizes = std::to_string(layer.images) + "x" + std::to_string(layer.height) + "x" +
                            std::to_string(layer.width) + "x" + std::to_string(layer.channels) + " to " +
                            std::to_string(layer.filters) +
                            (layer.groups > 1 ? " in " + std::to_string(layer.groups) + " groups" : "");
  const std::string name = type + " " + layer.network + " conv " + sizes + " ";
  ConvolutionProblem problem;
  problem.dtype = dtype;
  problem.tensor_float32 = 1;
  problem.batch = layer.images;
  problem.in_height = layer.height;
  problem.in_width = layer.width;
  problem.in_channels = layer.channels;
  problem.out_channels = layer.filters;
  problem.groups = layer.groups;
  problem.filter_height = problem.filter_width = layer.size;
  problem.stride_height = problem.stride_width = layer.stride;
  problem.dilation_height = problem.dilation_width = layer.dilation;
  const int64_t reach = (layer.size - 1) * layer.dilation + 1;
  const auto outputs = [&](int64_t in) {
    return layer.same ? (in + layer.stride - 1) / layer.stride : (in - reach) / layer.stride + 1;
  };
  const auto before = [&](int64_t in) {
    return layer.same ? std::max<int64_t>((outputs(in) - 1) * layer.stride + reach - in, 0) / 2 : 0;
  };
  problem.out_height = outputs(layer.height);
  problem.out_width = outputs(layer.width);
  problem.pad_top = before(layer.height);
  problem.pad_left = before(layer.width);
  const ActivationFacts* const activation = facts_named(layer.activation);
  cases.push_back({name + "forward " + layer.activation, quick, [=] {
                     ConvolutionProblem forward = problem;
                     forward.has_bias = 1;
                     Epilogue epilogue = epilogue_of(activation, nullptr);
                     epilogue.bias = true;
                     return convolution_graph(forward, epilogue, 16);
                   }});
  for (const auto& [direction, what] : {std::pair{kForward, "plain forward"},
                                        {kBackwardInput, "plain gradient of x"},
                                        {kBackwardFilter, "gradient of filter"}}) {
    if (direction == kBackwardInput && layer.below.empty()) continue;
    // Engines that are in the library cost nothing to plan.
    cases.push_back({name + what, quick, [=, direction = direction] {
                       ConvolutionProblem plain = problem;
                       plain.direction = direction;
                       return convolution_graph(plain, {}, 16);
                     }});
  }
  if (layer.below.empty() || layer.below == "linear") return;
  const ActivationFacts* const below = facts_named(layer.below);
  for (const bool sums : {false, true}) {
    cases.push_back({name + "gradient of " + layer.below + (sums ? " and bias" : ""), quick && !sums, [=] {
                       ConvolutionProblem backward = problem;
                       backward.direction = kBackwardInput;
                       Epilogue epilogue = epilogue_of(nullptr, below);
                       epilogue.sums = sums;
                       return convolution_graph(backward, epilogue, 16);
                     }});
  }
}

// `device` numbers the devices: what is planned in turn is planned in another dtype for each.
std::vector<Case> all_cases(size_t device) {
  std::vector<Case> cases;
  for (size_t t = 0; t < std::size(kTypes); ++t) {
    const auto [dtype, type] = kTypes[t];
    const auto quick = [&](plans::Share share, size_t row) {
      return share == plans::Share::kAlways ||
             (share == plans::Share::kInTurn && (row + device) % std::size(kTypes) == t);
    };
    for (size_t row = 0; row < plans::dense_layers().size(); ++row) {
      const plans::Dense& layer = plans::dense_layers()[row];
      add_dense(cases, layer, quick(layer.share, row), dtype, type);
    }
    for (size_t row = 0; row < plans::convolutions().size(); ++row) {
      const plans::Convolution& layer = plans::convolutions()[row];
      add_convolution(cases, layer, quick(layer.share, row), dtype, type);
    }
    // Every activation, both ways.
    for (const ActivationFacts& facts : facts_of(SN_BUILD::Activations{})) {
      const bool first = device == 0 && dtype == DType::kBfloat16;
      add_dense(cases, {"activations", 512, 304, 304, facts.name, facts.name, plans::Share::kFull}, first, dtype, type);
    }
  }
  return cases;
}

// "fused sm90": one kernel compiled for the graph, and the GPU it is written for; "library": one that cuDNN brings.
std::string describe(const Plan& plan) {
  if (!plan.compiled()) return "library";
  const std::string json = plan.json(), key = "\"kernelName\":\"";
  const size_t begin = json.find(key);
  if (begin == std::string::npos) return "fused";
  // The first "sm" and number of the name itself; what follows it in the file is machine code in letters.
  const std::string name = json.substr(begin + key.size(), json.find('"', begin + key.size()) - begin - key.size());
  for (size_t at = name.find("sm"); at != std::string::npos; at = name.find("sm", at + 1)) {
    const size_t digits = name.find_first_not_of("0123456789", at + 2);
    if (digits != at + 2) return "fused " + name.substr(at, digits - at);
  }
  return "fused";
}

std::map<std::string, std::string> read_table(const char* file) {
  std::map<std::string, std::string> table;
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    const size_t colon = line.rfind(": ");
    if (line.empty() || line[0] == '#' || colon == std::string::npos) continue;
    table[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return table;
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int failures = 0;

void fail(const std::string& what) {
  std::fprintf(stderr, "check_plans: %s\n", what.c_str());
  ++failures;
}

// A plan on disk: written, restored instead of made, refused and replaced when damaged.
void check_files(const Target& target) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("selfnorm-plans-" + std::to_string(std::random_device{}()));
  const PlanFiles files(folder);
  MatmulProblem problem;
  problem.dtype = DType::kBfloat16;
  problem.m = problem.n = problem.k = 64;
  const FusedGraph fused = *matmul_graph(problem, epilogue_of(facts_named("selu"), nullptr), 16);
  const Requirements requirements{false, true, size_t(1) << 28};
  const auto plan = [&] { return cached_plan(target, fused.graph, requirements, files); };
  const std::string key = plan_key(target, fused.graph, requirements);
  const auto made = plan();
  if (!made || made->engine() < 0) fail("an empty cache: expected a new plan");
  if (!files.read(key)) fail("a new plan: expected a file");
  const auto restored = plan();
  if (!restored || restored->engine() >= 0) fail("a plan on disk: expected it to be restored");
  if (made && restored && made->json() != restored->json()) fail("a restored plan: expected what was written");
  // A file of ours whose plan is not cuDNN's: as an update of cuDNN that kept its version might leave behind.
  files.write(key, made ? made->json().substr(0, 500) : "");
  const auto again = plan();
  if (!again || again->engine() < 0) fail("a plan that cuDNN refuses: expected a new one");
  const auto replaced = plan();
  if (!replaced || replaced->engine() >= 0) fail("a plan that cuDNN refused: expected its file to be replaced");
  fs::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) try {
  const auto has = [&](const char* option) {
    return std::any_of(argv + std::min(argc, 3), argv + argc,
                       [&](const char* argument) { return std::strcmp(argument, option) == 0; });
  };
  const Device* device = nullptr;
  for (const Device& known : kDevices) {
    if (argc > 2 && std::strcmp(argv[1], known.name) == 0) device = &known;
  }
  if (device == nullptr) {
    std::fprintf(stderr, "usage: check_plans h200|a100 TABLE [--full] [--write]\n");
    return 2;
  }
  const bool write = has("--write"), full = write || has("--full");
  const std::string json = properties_json(*device);
  Descriptor properties(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, int64_t(json.size()) + 1, json.c_str())
      .finalize();
  const Target target{nullptr, &properties, device->full_name};

  const std::map<std::string, std::string> table = read_table(argv[2]);
  std::set<std::string> planned;
  size_t better = 0;
  const double start = seconds();
  for (const Case& one : all_cases(size_t(device - kDevices))) {
    const std::string name = std::string(device->name) + " " + one.name;
    if (!(full || one.quick) || !planned.insert(name).second) continue;
    const bool plain = one.name.find("plain") != std::string::npos || one.name.find("of filter") != std::string::npos;
    const std::optional<FusedGraph> fused = one.graph();
    std::optional<Plan> plan;
    if (fused) plan = Plan::find(target, fused->graph, {false, !plain, size_t(1) << 30});
    const std::string found = !fused ? "no form" : !plan ? "no plan" : describe(*plan);
    if (write) {
      std::printf("%s: %s\n", name.c_str(), found.c_str());
      std::fflush(stdout);
      continue;
    }
    const auto expected = table.find(name);
    if (expected == table.end()) {
      fail(name + ": not in the table; write it again with --write");
    } else if (expected->second != found) {
      // A plan more than there was is news, not a fault.
      if (expected->second == "no plan" || expected->second == "no form")
        ++better;
      else
        fail(name + ": expected " + expected->second + ", got " + found);
    }
  }
  if (!write) {
    for (const auto& [name, found] : table) {
      if (full && name.rfind(std::string(device->name) + " ", 0) == 0 && !planned.count(name)) {
        fail(name + ": in the table, but no longer asked for");
      }
    }
    check_files(target);
    std::printf("check_plans: %s: %zu graphs in %.0f s, %d problems%s\n", device->name, planned.size(),
                seconds() - start, failures,
                better > 0 ? (", " + std::to_string(better) + " fused that were not before").c_str() : "");
  }
  return failures == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "check_plans: %s\n", error.what());
  return 2;
}
