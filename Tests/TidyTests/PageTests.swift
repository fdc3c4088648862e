import PalModel
import PalSpecs
import Testing

@Suite("Pages")
struct PageTests {
    private func page(_ path: String) throws -> Page {
        Page(path: path, text: try Project.text(path))
    }

    @Test func everySpecInThePagesIsValid() throws {
        let pages = try Project.pages().map { try page($0) }
        #expect(pages.flatMap { $0.parts.blocks }.contains { $0.info == "yaml" })
        #expect(pages.flatMap(\.specProblems) == [])
    }

    @Test func everyExampleIsValid() throws {
        let files =
            try Project.files(below: "docs/examples", ["yaml", "yml", "json"])
            + Project.files(below: "specs", ["yaml", "yml", "json"])
        #expect(files.count > 2)
        for file in files {
            let contents = SpecFileContents(bytes: try Project.bytes(file), file: file)
            #expect(contents.allProblems.map(\.description) == [])
        }
    }

    @Test func everyPlaceThatAPageNamesIsThere() throws {
        for path in try Project.pages() {
            let lost = try page(path).places.filter { !Project.exists($0) }
            #expect(lost == [], "\(path) names what is not there")
        }
    }

    @Test func theFieldTableIsTheGeneratedOne() throws {
        let reference = try page("docs/spec-reference.md")
        #expect(
            reference.fieldTable == FieldReference.markdown,
            "put the output of 'pal schema --markdown' between the two marks")
        #expect(reference.text.contains("pal schema --markdown"))
    }

    @Test func theReadmeLeadsToTheLoop() throws {
        let first = try page("README.md").firstParagraph
        #expect(first.hasSuffix("`Sources/PalEngine/Reconciler.swift`"))
    }

    @Test func everyCommandIsDocumentedAndNoOther() throws {
        let sources = try Project.files(below: "Sources/pal/Commands", ["swift"])
        let commands = try sources.reduce(into: Set<String>()) {
            $0.formUnion(Page.commands(in: try Project.text($1)))
        }
        #expect(commands.contains("run"))
        #expect(try page("docs/cli.md").headedCommands == commands)
    }

    // MARK: Each of these can fail

    @Test func aBadSpecIsReportedWithItsPlace() {
        let text =
            "Text\n\n```yaml\nname: a\nimagee: b\n```\n\n```yaml title=pal.yaml\nswarm: A\n```\n"
        let problems = Page(path: "docs/x.md", text: text).specProblems
        #expect(problems.count == 2)
        #expect(problems.first?.hasPrefix("docs/x.md:3:2:1: unknown key 'imagee'") == true)
        #expect(problems.last?.hasPrefix("docs/x.md:8:1:") == true)
        let other = Page(path: "x.md", text: "```yaml compose\na: b\n```\n")
        #expect(other.specProblems.count == 1)
    }

    @Test func blocksAreToldFromProse() {
        let page = Page(
            path: "x.md", text: "a\n```sh\n[x](y)\n```\n[b](c.md#d)\n  ```yaml\n  name: x\n    y: z"
        )
        #expect(
            page.parts.blocks == [
                .init(line: 2, info: "sh", text: "[x](y)\n"),
                .init(line: 6, info: "yaml", text: "name: x\n  y: z\n"),
            ])
        #expect(page.parts.prose == "a\n[b](c.md#d)\n")
    }

    @Test func linksAndNamedPathsArePlaces() {
        let text = """
            [one](cli.md#x), [two](../Package.swift), [three](https://example.org/a), [four](#here)
            and `Sources/PalModel/Gone.swift`, Sources/Providers/<Name>, docs/threats.md.
            """
        #expect(
            Page(path: "docs/x.md", text: text).places == [
                "Package.swift", "Sources/PalModel/Gone.swift", "Sources/Providers", "docs/cli.md",
                "docs/threats.md",
            ])
        #expect(!Project.exists("Sources/PalModel/Gone.swift"))
    }

    @Test func aChangedTableIsNotTheGeneratedOne() {
        let marked = "\(Page.tableStart)\n\n\(FieldReference.markdown)\n\(Page.tableEnd)\n"
        #expect(Page(path: "x.md", text: marked).fieldTable == FieldReference.markdown)
        let changed = marked.replacing("`image`", with: "`picture`")
        #expect(Page(path: "x.md", text: changed).fieldTable != FieldReference.markdown)
        #expect(Page(path: "x.md", text: FieldReference.markdown).fieldTable == nil)
    }

    @Test func commandsAreFoundInSourcesAndHeadings() {
        let source = "struct Run: AsyncParsableCommand {\n    struct List: ParsableCommand {}\n}\n"
        #expect(Page.commands(in: source) == ["run"])
        let text = "## `pal run`\n\n### `pal stop NAME`, `pal start NAME`\n\nas `pal plan` does\n"
        #expect(Page(path: "x.md", text: text).headedCommands == ["run", "stop"])
    }

    @Test func theFirstParagraphIsTheOneUnderTheTitle() {
        #expect(
            Page(path: "x.md", text: "# pal\n\none\ntwo\n\nthree\n").firstParagraph == "one\ntwo")
    }
}
