//===- cuda/emulation/Ptx.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Ptx.h"

#include "backends/cuda/emulation/Families.h"

#include <charconv>
#include <fmt/format.h>
#include <map>

namespace pantile::cuda::emulation {

bool Opcode::has(std::string_view part) const { return std::find(parts.begin(), parts.end(), part) != parts.end(); }

void Opcode::shape(int &m, int &n, int &k) const {
  m = n = k = 0;
  for (std::string_view part : parts)
    if (part.starts_with('m') && part.size() > 3 && std::isdigit(static_cast<unsigned char>(part[1]))) {
      const char *at = part.data() + 1, *end = part.data() + part.size();
      at = std::from_chars(at, end, m).ptr;
      if (at < end && *at == 'n') at = std::from_chars(at + 1, end, n).ptr;
      if (at < end && *at == 'k') std::from_chars(at + 1, end, k);
      if (n) return;
    }
}

namespace {

/// One word of an operand: a register plus an offset, or a number.
struct Word {
  int reg = -1; ///< -1: none
  int64_t offset = 0;
};

enum class Alu : uint8_t { Move, Add, Sub, Mul, Shl, Shr, And, Or, Xor, Not, SetEq, SetNe, SetLt, SetLe, SetGt, SetGe, Select };

struct Statement {
  enum class Kind : uint8_t { Emulated, Alu, Branch, Return } kind = Kind::Emulated;
  int predicate = -1; ///< register
  bool negated = false;
  Emulate run = nullptr;
  uint64_t data = 0;
  Alu alu = Alu::Move;
  unsigned bits = 64;
  bool isSigned = false;
  size_t target = 0; ///< of a branch
  bool accumulates = false;
  std::vector<int> out; ///< registers, -1: dropped
  std::vector<Word> in;
};

struct Program {
  std::vector<Statement> statements;
  unsigned registers = 0, outputs = 0, inputs = 0;
  bool waits = false;    ///< for wgmma, and the outputs are what it waits for
  std::vector<int> tied; ///< of each input: the output it begins in, or -1
};

constexpr unsigned kMostRegisters = 1024;

uint64_t narrow(uint64_t value, unsigned bits) { return bits >= 64 ? value : value & ((uint64_t(1) << bits) - 1); }
int64_t extend(uint64_t value, unsigned bits) { return bits >= 64 ? int64_t(value) : int64_t(value << (64 - bits)) >> (64 - bits); }

uint64_t compute(const Statement &s, const uint64_t *v) {
  const uint64_t a = narrow(v[0], s.bits), b = s.in.size() > 1 ? narrow(v[1], s.bits) : 0;
  auto less = [&] { return s.isSigned ? extend(a, s.bits) < extend(b, s.bits) : a < b; };
  switch (s.alu) {
  case Alu::Move:
    return s.isSigned ? uint64_t(extend(a, s.bits)) : a;
  case Alu::Add:
    return narrow(a + b, s.bits);
  case Alu::Sub:
    return narrow(a - b, s.bits);
  case Alu::Mul:
    return narrow(a * b, s.bits);
  case Alu::Shl:
    return v[1] >= s.bits ? 0 : narrow(a << v[1], s.bits);
  case Alu::Shr:
    return s.isSigned ? narrow(uint64_t(extend(a, s.bits) >> std::min<uint64_t>(v[1], 63)), s.bits) : v[1] >= s.bits ? 0 : a >> v[1];
  case Alu::And:
    return a & b;
  case Alu::Or:
    return a | b;
  case Alu::Xor:
    return a ^ b;
  case Alu::Not:
    return s.bits == 1 ? !a : narrow(~a, s.bits);
  case Alu::SetEq:
    return a == b;
  case Alu::SetNe:
    return a != b;
  case Alu::SetLt:
    return less();
  case Alu::SetLe:
    return less() || a == b;
  case Alu::SetGt:
    return !less() && a != b;
  case Alu::SetGe:
    return !less();
  case Alu::Select:
    return v[2] & 1 ? a : b;
  }
  return 0;
}

void runProgram(Lane &lane, const Call &call) {
  const Program &program = *reinterpret_cast<const Program *>(call.data);
  uint64_t regs[kMostRegisters], in[256], out[256];
  for (unsigned i = 0; i < program.outputs; ++i) regs[i] = 0;
  for (unsigned i = 0; i < program.inputs; ++i) {
    regs[program.outputs + i] = call.in[i];
    if (program.tied[i] >= 0) regs[program.tied[i]] = call.in[i];
  }
  for (size_t at = 0; at < program.statements.size(); ++at) {
    const Statement &s = program.statements[at];
    if (s.predicate >= 0 && bool(regs[s.predicate] & 1) == s.negated) continue;
    if (s.kind == Statement::Kind::Branch) {
      at = s.target - 1;
      continue;
    }
    if (s.kind == Statement::Kind::Return) break;
    size_t n = 0;
    if (s.accumulates)
      for (int reg : s.out) in[n++] = reg < 0 ? 0 : regs[reg];
    for (const Word &word : s.in) in[n++] = uint64_t(word.offset) + (word.reg < 0 ? 0 : regs[word.reg]);
    if (s.kind == Statement::Kind::Alu) {
      out[0] = compute(s, in);
    } else {
      s.run(lane, {call.site, in, out, s.data});
    }
    for (size_t i = 0; i < s.out.size(); ++i)
      if (s.out[i] >= 0) regs[s.out[i]] = out[i];
  }
  if (program.waits) deliver(lane, regs, program.outputs);
  for (unsigned i = 0; i < program.outputs; ++i) call.out[i] = regs[i];
}

class Parser {
public:
  Parser(std::string_view text, std::string_view constraints, uint64_t traits) : text(text), constraints(constraints), traits(traits) {}

  Expected<std::shared_ptr<Program>> run() {
    PANTILE_RETURN_IF_ERROR(readConstraints());
    PANTILE_RETURN_IF_ERROR(readStatements());
    for (auto &[statement, label] : jumps) {
      auto found = labels.find(label);
      if (found == labels.end()) return bad(fmt::format("no label '{}'", label));
      program->statements[statement].target = found->second;
    }
    if (program->registers > kMostRegisters) return bad("too many registers");
    return program;
  }

private:
  Status bad(std::string what) const {
    return Status(PANTILE_UNSUPPORTED, "inline assembly cannot be emulated: " + std::move(what))
        .withFix("add a row to a table in the backend's folder emulation/");
  }

  Status readConstraints() {
    size_t at = 0;
    bool reading = false;
    while (at < constraints.size()) {
      size_t end = std::min(constraints.find(',', at), constraints.size());
      std::string_view one = constraints.substr(at, end - at);
      at = end + 1;
      if (one.starts_with('~')) continue; // a clobber
      if (one.starts_with('=')) {
        if (reading) return bad("an output after an input");
        ++program->outputs;
        continue;
      }
      reading = true;
      int tied = -1;
      if (!one.empty() && std::isdigit(static_cast<unsigned char>(one[0]))) std::from_chars(one.data(), one.data() + one.size(), tied);
      program->tied.push_back(tied);
      ++program->inputs;
    }
    program->registers = program->outputs + program->inputs;
    return {};
  }

  void skip() {
    while (at < text.size()) {
      const char c = text[at];
      if (std::isspace(static_cast<unsigned char>(c)) || c == ';') {
        ++at;
      } else if (text.substr(at).starts_with("//")) {
        at = std::min(text.find('\n', at), text.size());
      } else if (text.substr(at).starts_with("/*")) {
        at = std::min(text.find("*/", at) + 2, text.size());
      } else {
        break;
      }
    }
  }
  void blanks() {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
  }
  bool eat(char c) {
    blanks();
    if (at < text.size() && text[at] == c) {
      ++at;
      return true;
    }
    return false;
  }
  static bool isNameChar(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '%' || c == '$' || c == ':' || c == '.';
  }

  std::string_view name() {
    blanks();
    size_t begin = at;
    while (at < text.size() && isNameChar(text[at])) ++at;
    return text.substr(begin, at - begin);
  }

  /// A register by name or "$n" operand; -1: none such.
  int registerOf(std::string_view word) {
    if (word.starts_with('$')) {
      int number = -1;
      auto digits = word.substr(1);
      if (digits.starts_with('{')) digits = digits.substr(1);
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
      return number >= 0 && unsigned(number) < program->outputs + program->inputs ? number : -1;
    }
    auto found = names.find(std::string(word));
    return found == names.end() ? -1 : found->second;
  }

  Status atom(std::vector<Word> &words) {
    blanks();
    bool negative = eat('-');
    size_t begin = at;
    std::string_view word = text.substr(at).starts_with("${") ? braced() : name();
    if (word.empty()) return bad(fmt::format("an operand at '{}'", text.substr(begin, 20)));
    Word result;
    if (std::isdigit(static_cast<unsigned char>(word[0]))) {
      int base = 10;
      if (word.starts_with("0x") || word.starts_with("0X")) base = 16, word = word.substr(2);
      uint64_t number = 0;
      std::from_chars(word.data(), word.data() + word.size(), number, base);
      result.offset = negative ? -int64_t(number) : int64_t(number);
    } else {
      result.reg = registerOf(word);
      if (result.reg < 0) return bad(fmt::format("no register '{}'", word));
    }
    if (eat('+')) {
      bool minus = eat('-');
      std::vector<Word> more;
      PANTILE_RETURN_IF_ERROR(atom(more));
      if (more[0].reg >= 0) return bad("an address of two registers");
      result.offset += minus ? -more[0].offset : more[0].offset;
    }
    words.push_back(result);
    return {};
  }
  std::string_view braced() {
    size_t begin = at, end = text.find('}', at);
    at = std::min(end == text.npos ? text.size() : end + 1, text.size());
    return text.substr(begin, at - begin);
  }

  Status operand(std::vector<Word> &words) {
    blanks();
    if (at < text.size() && (text[at] == '{' || text[at] == '[')) {
      const char close = text[at++] == '{' ? '}' : ']';
      do PANTILE_RETURN_IF_ERROR(operand(words));
      while (eat(','));
      if (!eat(close)) return bad(fmt::format("a '{}' is missing", close));
      return {};
    }
    if (text.substr(at).starts_with("_") && (at + 1 >= text.size() || !isNameChar(text[at + 1]))) {
      ++at;
      words.push_back({-2, 0});
      return {};
    }
    PANTILE_RETURN_IF_ERROR(atom(words));
    if (eat('|')) PANTILE_RETURN_IF_ERROR(operand(words)); // two destinations
    return {};
  }

  Status declaration() {
    name(); // ".reg" was taken; the type
    do {
      std::string word(name());
      unsigned count = 1;
      if (eat('<')) {
        std::vector<Word> number;
        PANTILE_RETURN_IF_ERROR(atom(number));
        eat('>');
        count = unsigned(number[0].offset);
        for (unsigned i = 0; i < count; ++i) names[word + std::to_string(i)] = int(program->registers++);
      } else {
        names[word] = int(program->registers++);
      }
      if (program->registers > kMostRegisters) return bad("too many registers");
    } while (eat(','));
    return {};
  }

  Status readStatements() {
    while (true) {
      skip();
      if (at >= text.size()) return {};
      if (text[at] == '{' || text[at] == '}') { // scopes are not needed
        ++at;
        continue;
      }
      Statement statement;
      if (text[at] == '@') {
        ++at;
        statement.negated = eat('!');
        std::string_view word = text.substr(at).starts_with("${") ? braced() : name();
        statement.predicate = registerOf(word);
        if (statement.predicate < 0) return bad(fmt::format("no predicate '{}'", word));
      }
      std::string opcode(name());
      if (opcode == ".reg") {
        PANTILE_RETURN_IF_ERROR(declaration());
        continue;
      }
      if (opcode.ends_with(':')) {
        labels[opcode.substr(0, opcode.size() - 1)] = program->statements.size();
        continue;
      }
      if (eat(':')) {
        labels[opcode] = program->statements.size();
        continue;
      }
      if (opcode.empty()) return bad(fmt::format("'{}'", text.substr(at, 30)));
      PANTILE_RETURN_IF_ERROR(instruction(std::move(opcode), std::move(statement)));
    }
  }

  Status instruction(std::string text, Statement statement) {
    Opcode opcode{std::move(text), {}};
    for (size_t begin = 0; begin <= opcode.text.size();) {
      size_t end = std::min(opcode.text.find('.', begin), opcode.text.size());
      opcode.parts.push_back(std::string_view(opcode.text).substr(begin, end - begin));
      begin = end + 1;
    }
    if (opcode.parts[0] == "bra") {
      statement.kind = Statement::Kind::Branch;
      jumps.push_back({program->statements.size(), std::string(name())});
      program->statements.push_back(std::move(statement));
      return {};
    }
    if (opcode.parts[0] == "ret" || opcode.parts[0] == "exit") {
      statement.kind = Statement::Kind::Return;
      program->statements.push_back(std::move(statement));
      return {};
    }
    std::vector<std::vector<Word>> operands;
    blanks();
    while (at < this->text.size() && this->text[at] != ';' && this->text[at] != '}') {
      operands.emplace_back();
      PANTILE_RETURN_IF_ERROR(operand(operands.back()));
      if (!eat(',')) break;
    }
    unsigned destinations = 1;
    if (!arithmetic(opcode, statement)) {
      OperandCounts counts;
      for (auto &words : operands) counts.words.push_back(unsigned(words.size()));
      bool found = false;
      for (auto rows : {identityRows(), groupDotRows(), warpDotRows(), matrixMoveRows(), copyRows(), tensorCopyRows(),
                        synchronizationRows(), exchangeRows(), arithmeticRows()})
        for (const PtxRow &row : rows) {
          if (found || !opcode.text.starts_with(row.opcode)) continue;
          if (opcode.text.size() > row.opcode.size() && opcode.text[row.opcode.size()] != '.') continue;
          if (row.decode) {
            auto data = row.decode(opcode, counts);
            if (!data) continue;
            statement.data = *data;
          }
          found = true;
          if (opcode.text.starts_with("wgmma.wait_group") && traits & kDelivers) program->waits = true;
          if (opcode.text.starts_with("wgmma.mma_async") && traits & kDelivers) statement.data |= kLate;
          statement.run = row.run;
          statement.accumulates = row.accumulates;
          destinations = row.destinations;
        }
      if (!found) return bad(fmt::format("no row for the instruction '{}'", opcode.text));
    }
    for (size_t i = 0; i < operands.size(); ++i)
      for (const Word &word : operands[i]) {
        if (i >= destinations) {
          statement.in.push_back(word.reg == -2 ? Word{} : word);
        } else if (word.reg >= 0) {
          statement.out.push_back(word.reg);
        } else {
          statement.out.push_back(-1);
        }
      }
    if (statement.in.size() > 200 || statement.out.size() > 200) return bad(fmt::format("too many operands of '{}'", opcode.text));
    program->statements.push_back(std::move(statement));
    return {};
  }

  /// Integer arithmetic: one destination.
  bool arithmetic(const Opcode &opcode, Statement &statement) {
    static constexpr struct {
      std::string_view name;
      Alu alu;
    } rows[] = {{"mov", Alu::Move}, {"cvta", Alu::Move}, {"add", Alu::Add}, {"sub", Alu::Sub}, {"mul", Alu::Mul}, {"shl", Alu::Shl},
                {"shr", Alu::Shr},  {"and", Alu::And},   {"or", Alu::Or},   {"xor", Alu::Xor}, {"not", Alu::Not}, {"selp", Alu::Select}};
    static constexpr struct {
      std::string_view name;
      Alu alu;
    } comparisons[] = {{"eq", Alu::SetEq}, {"ne", Alu::SetNe}, {"lt", Alu::SetLt},
                       {"le", Alu::SetLe}, {"gt", Alu::SetGt}, {"ge", Alu::SetGe}};
    const std::string_view last = opcode.parts.back();
    if (last.size() < 2 || (last[0] != 'b' && last[0] != 'u' && last[0] != 's' && last != "pred")) return false;
    const bool convert = opcode.parts[0] == "cvt" && opcode.parts.size() == 3 && (opcode.parts[1][0] == 'u' || opcode.parts[1][0] == 's');
    bool known = convert;
    for (auto &row : rows)
      if (opcode.parts[0] == row.name) statement.alu = row.alu, known = true;
    if (opcode.parts[0] == "setp")
      for (auto &row : comparisons)
        if (opcode.parts[1] == row.name) statement.alu = row.alu, known = true;
    if (!known || (opcode.parts[0] == "mul" && !opcode.has("lo"))) return false;
    if (opcode.parts[0] == "cvta") return false;
    statement.kind = Statement::Kind::Alu;
    statement.bits = 1;
    if (last != "pred") std::from_chars(last.data() + 1, last.data() + last.size(), statement.bits);
    statement.isSigned = last[0] == 's';
    return true;
  }

  std::string_view text, constraints;
  const uint64_t traits;
  size_t at = 0;
  std::shared_ptr<Program> program = std::make_shared<Program>();
  std::map<std::string, int> names;
  std::map<std::string, size_t> labels;
  std::vector<std::pair<size_t, std::string>> jumps;
};

} // namespace

Expected<Emulation> assemble(std::string_view text, std::string_view constraints, uint64_t traits) {
  auto program = Parser(text, constraints, traits).run();
  if (!program) return std::move(program).status();
  return Emulation{runProgram, reinterpret_cast<uint64_t>(program->get()), *program};
}

} // namespace pantile::cuda::emulation
