# nix run . -- check k8s
{
  description = "Harden Kubernetes manifests in place, and say why";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      project = (builtins.fromTOML (builtins.readFile ./pyproject.toml)).project;
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forEach = nixpkgs.lib.genAttrs systems;
      # nixpkgs has the grammar for editors alone; the module of Python is that of requirements.lock.
      hcl =
        python:
        python.buildPythonPackage rec {
          pname = "tree-sitter-hcl";
          version = "1.2.0";
          pyproject = true;
          src = python.fetchPypi {
            pname = "tree_sitter_hcl";
            inherit version;
            sha256 = "f86cb7a9fd5cb93d83e2f788ae155544464c47755d09190505de562c0d6ad1dd";
          };
          build-system = [ python.setuptools ];
          pythonImportsCheck = [ "tree_sitter_hcl" ];
        };
      harden =
        system:
        let
          python = nixpkgs.legacyPackages.${system}.python3Packages;
        in
        python.buildPythonApplication {
          pname = project.name;
          inherit (project) version;
          pyproject = true;
          src = self;
          build-system = [ python.hatchling ];
          # The versions are those of nixpkgs.
          pythonRelaxDeps = true;
          dependencies = [
            python.deepdiff
            python.dockerfile-parse
            python.httpx2
            python.libcst
            python.msgspec
            python.pathspec
            python.ruamel-yaml
            python.ruamel-yaml-clib
            python.tree-sitter
            (hcl python)
            python.typer
          ];
          doCheck = false;
          meta = {
            inherit (project) description;
            license = nixpkgs.lib.licenses.asl20;
            mainProgram = "harden";
          };
        };
    in
    {
      packages = forEach (system: {
        default = harden system;
      });
    };
}
