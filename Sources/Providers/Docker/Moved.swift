import PalModel
import PalProvider

/// What the images of some containers are, and what their names stand for now.
struct ImageFacts: Sendable {
    /// By name, and by id where only that helps; without what the Engine does not have.
    fileprivate(set) var images: [String: ImageDetail] = [:]

    /// What the provider adds to an instance: which image it runs, and whether its tag moved.
    func complete(_ instance: inout VSCodeInstance, _ detail: ContainerDetail) {
        guard let id = detail.image else { return }
        let reference = ImageReference(detail.config.image)
        instance.metadata["imageId"] = id
        let named = images[detail.config.image]
        let own = named?.isSame(as: id) == true ? named : images[id]
        let digest = reference.digest ?? own?.digest(of: reference)
        instance.metadata["imageDigest"] = digest
        guard reference.canMove, let named, !named.isSame(as: id) else { return }
        // Digests of both, or ids of both: the two are no use beside each other.
        let new = named.digest(of: reference)
        let isTold = digest != nil && new != nil && digest != new
        instance.outdated = [
            FieldChange(
                path: "image", from: .string(isTold ? digest ?? id : id),
                to: .string(isTold ? new ?? named.id : named.id))
        ]
    }
}

extension ImageDetail {
    /// Podman writes ids without what they are made with.
    func isSame(as other: String) -> Bool {
        func digits(_ text: String) -> Substring {
            text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        }
        return digits(id) == digits(other)
    }
}

extension DockerProvider {
    /// One call for each name that is not known; one more for each image whose tag moved.
    func imageFacts(
        _ details: [ContainerDetail]
    ) async throws(ProviderFailure) -> ImageFacts {
        var facts = ImageFacts()
        let owned = details.filter { $0.ownership(in: settings.swarm) != nil }
        let names = Set(owned.map(\.config.image)).filter { ImageReference($0).canMove }
        facts.images = try await images(names.sorted())
        let moved = Set(
            owned.compactMap { detail -> String? in
                guard let id = detail.image, let named = facts.images[detail.config.image],
                    !named.isSame(as: id)
                else { return nil }
                return id
            })
        facts.images.merge(try await images(moved.sorted())) { named, _ in named }
        return facts
    }

    private func images(
        _ names: [String]
    ) async throws(ProviderFailure) -> [String: ImageDetail] {
        let results = await bounded(names, atOnce: Self.inspections) {
            name -> Result<ImageDetail?, ProviderFailure> in
            do throws(ProviderFailure) {
                return .success(try await image(name))
            } catch {
                return .failure(error)
            }
        }
        var images: [String: ImageDetail] = [:]
        for (name, result) in zip(names, results) { images[name] = try result.get() }
        return images
    }

    private func image(_ name: String) async throws(ProviderFailure) -> ImageDetail? {
        if let known = tags.known(name) { return known.image }
        let ticket = tags.ticket()
        let image = try await inspectImage(name)
        tags.keep(image, name, ticket)
        return image
    }

    /// Forgets what an event about an image makes doubtful.
    /// - Returns: The containers that may be out of date now.
    func heardOfImage(_ event: EngineEvent) -> [ContainerDetail] {
        guard ["pull", "tag", "load"].contains(event.action ?? "") else { return [] }
        let text = event.actor?.attributes?["name"] ?? event.actor?.id ?? ""
        let moved = ImageReference(text)
        // What is loaded is told by its id only.
        let isAny = moved.isID || event.action == "load"
        func isMeant(_ name: String) -> Bool {
            let reference = ImageReference(name)
            return isAny || reference.isID || reference.name == moved.name
        }
        tags.forget(where: isMeant)
        let concerned = cache.everything.filter { isMeant($0.config.image) }
        if !concerned.isEmpty { cache.stir() }
        return concerned
    }
}
